"use strict";
// Two lanes ask for the next picture as long as the run goes on; each answer is what has changed.
// A server that was away for long says "paused" at first: whoever asks is the end of that.
(() => {
  const ASK_LATER = 202;
  const [LATER_MS, AWAY_MS] = [2000, 5000];
  const isOver = () =>
    !["going", "paused"].includes(document.getElementById("lab-progress")?.dataset.phase);

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const lane = detail.elt;
    if (!lane.matches?.("[data-lane]")) return;
    const isLater = detail.xhr.status === ASK_LATER;
    const pause = detail.successful ? (isLater ? LATER_MS : 0) : AWAY_MS;
    setTimeout(() => isOver() || window.htmx.trigger(lane, "next"), pause);
  });
})();
