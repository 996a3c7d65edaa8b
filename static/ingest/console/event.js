"use strict";
// Seconds run while a test photo is under way; a check without an answer says so.
(() => {
  const runs = new Map(); // a form's timer

  const stop = (form) => {
    clearInterval(runs.get(form));
    runs.delete(form);
    form.querySelector("button").removeAttribute("aria-busy");
  };
  const start = (form) => {
    const result = form.querySelector(".trial-result");
    const clock = document.createElement("span");
    clock.setAttribute("aria-hidden", "true"); // each second read aloud helps nobody
    result.replaceChildren(form.dataset.runs, " ", clock);
    const began = performance.now();
    const tick = () => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      clock.textContent = `${seconds} ${form.dataset.of} ${form.dataset.wait}`;
    };
    tick();
    runs.set(form, setInterval(tick, 250));
    form.querySelector("button").setAttribute("aria-busy", "true");
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches(".trial")) start(event.target);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { target: item, detail } = event;
    const form = detail.elt?.closest?.(".trial");
    if (form) stop(form);
    if (detail.successful || detail.xhr.status === 401) return;
    if (form) {
      form.querySelector(".trial-result").textContent = form.dataset.failed;
    } else if (item.matches?.(".check")) {
      item.className = "check warn";
      item.querySelector(".words").textContent = document.getElementById("checks").dataset.failed;
    }
  });
  document.getElementById("print").addEventListener("click", () => window.print());
})();
