"use strict";
// Measures the way to the server and back with real bytes, since this page is opened where the
// booth stands. A little first: on a slow line four megabytes would take minutes.
(() => {
  const section = document.getElementById("links");
  const button = document.getElementById("measure");
  const SMALL = 256 * 1024;
  const LARGE = 4 * 1024 * 1024;
  const SLOW_S = 1;
  const { bytesUrl, verdictUrl, failed, busy } = section.dataset;

  const token = () => section.querySelector("[name=csrfmiddlewaretoken]").value;
  const ask = async (url, options) => {
    const response = await fetch(url, { cache: "no-store", ...options });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    return response;
  };
  const send = (bytes) => {
    const body = new Uint8Array(bytes);
    // At most 65,536 at once; what repeats is as large on the line.
    crypto.getRandomValues(body.subarray(0, 65536));
    for (let at = 65536; at < bytes; at += 65536) body.copyWithin(at, 0, 65536);
    const headers = { "X-CSRFToken": token(), "Content-Type": "application/octet-stream" };
    return ask(bytesUrl, { method: "POST", headers, body });
  };
  const fetchBytes = async (bytes) => (await ask(`${bytesUrl}?bytes=${bytes}`)).arrayBuffer();

  const time = async (act, bytes) => {
    const began = performance.now();
    await act(bytes);
    return (performance.now() - began) / 1000;
  };
  const measure = async (act) => {
    await time(act, 1); // the connection is made by this one
    const idle = await time(act, 1);
    let [bytes, took] = [SMALL, await time(act, SMALL)];
    if (took < SLOW_S) [bytes, took] = [LARGE, await time(act, LARGE)];
    return bytes / Math.max(took - idle, 0.001);
  };

  const show = async (line, act) => {
    const words = line.querySelector(".words");
    words.textContent = busy;
    try {
      words.innerHTML = await (await act()).text();
    } catch {
      words.textContent = failed;
    }
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    await show(section.querySelector("[data-booth]"), async () => {
      const up = await measure(send);
      const down = await measure(fetchBytes);
      return ask(`${verdictUrl}?up=${up}&down=${down}`);
    });
    for (const line of section.querySelectorAll("[data-service]"))
      await show(line, () =>
        ask(line.dataset.service, { method: "POST", headers: { "X-CSRFToken": token() } }),
      );
    button.disabled = false;
    button.removeAttribute("aria-busy");
  });
})();
