"use strict";
// Asks an address again and again: cheaply (304 when nothing is new), ever more rarely while it
// does not answer, not at all while nobody looks, and at once when the network or the eye is back.
const EVERY_MS = 5000,
  AT_MOST_MS = 30000,
  PATIENCE_MS = 15000;

window.follow = (address, { onNews, onTrouble, onClosed }) => {
  let etag = null,
    timer = null,
    failures = 0,
    isAsking = false;

  const again = () => {
    clearTimeout(timer);
    const wait = Math.min(EVERY_MS * 2 ** Math.min(failures, 8), AT_MOST_MS);
    // Hundreds of phones that came back together must not ask together.
    timer = setTimeout(ask, wait * (0.9 + 0.2 * Math.random()));
  };

  const ask = async () => {
    if (document.hidden || isAsking) return;
    isAsking = true;
    try {
      const answer = await fetch(address, {
        headers: etag ? { "If-None-Match": etag } : {},
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 200) {
        const text = await answer.text();
        await onNews(text);
        etag = answer.headers.get("ETag");
      } else if (answer.status === 404) {
        etag = null;
        onClosed();
      } else if (answer.status !== 304) {
        throw new Error(`status ${answer.status}`);
      }
      failures = 0;
    } catch {
      failures += 1;
    }
    onTrouble(failures > 0);
    isAsking = false;
    again();
  };

  document.addEventListener("visibilitychange", ask);
  window.addEventListener("online", ask);
  return { ask, again };
};
