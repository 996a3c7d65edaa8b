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

  // All of them, one after the other: together they would wait for each other at the service.
  const all = document.getElementById("test-all");
  const tested = document.getElementById("tested");
  const run = (form) =>
    new Promise((done) => {
      form.addEventListener("htmx:afterRequest", done, { once: true });
      form.requestSubmit();
    });
  const runAll = async () => {
    const forms = [...document.querySelectorAll(".trial")];
    const button = all.querySelector("button");
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    for (const [number, form] of forms.entries()) {
      tested.textContent = `${number + 1} ${tested.dataset.of} ${forms.length}`;
      await run(form);
    }
    tested.textContent = "";
    button.disabled = false;
    button.removeAttribute("aria-busy");
  };
  if (all) {
    all.hidden = false;
    all.addEventListener("submit", (event) => {
      event.preventDefault();
      runAll();
    });
  }
})();
