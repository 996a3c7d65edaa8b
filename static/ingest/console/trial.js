"use strict";
// The test run: the seconds that run against the waiting time, and how it ended.
(() => {
  const at = (id) => document.getElementById(id);
  const panel = at("trial");
  if (!panel) return;
  const button = at("trial-run");
  const words = panel.dataset;
  const field = (name) => button.form?.elements.namedItem(name);
  let clock = null;

  const run = () => {
    const wait = Number(field("sync_response_seconds")?.value) || Number(words.wait);
    const started = performance.now();
    const tick = () => {
      const passed = (performance.now() - started) / 1000;
      at("trial-s").textContent = Math.floor(passed);
      at("trial-bar").value = Math.min((100 * passed) / wait, 100);
      at("trial-late").hidden = passed < wait;
    };
    at("trial-of").textContent = wait;
    tick();
    clock = setInterval(tick, 250);
  };
  const running = (isIt) => {
    at("trial-running").hidden = !isIt;
    at("trial-said").textContent = isIt ? words.runs : "";
    clearInterval(clock);
    for (const name of ["aria-busy", "aria-disabled"])
      if (isIt) button.setAttribute(name, "true");
      else button.removeAttribute(name);
    if (isIt) run();
  };
  // Told wherever on the page somebody is by now; of the last run only.
  const tell = (text, kind) => {
    const toast = document.createElement("li");
    [toast.id, toast.className, toast.textContent] = ["toast-trial", kind, text];
    at("toast-trial")?.remove();
    window.toast(toast);
  };

  const onRun = (kind, then) =>
    document.addEventListener(kind, ({ detail }) => {
      if ((detail.requestConfig?.elt || detail.elt) === button) then(detail);
    });
  onRun("htmx:configRequest", (detail) => {
    if (panel.photo) detail.formData.set("test_photo", panel.photo);
  });
  onRun("htmx:beforeSend", () => {
    panel.complain();
    at("trial-result").replaceChildren();
    at("toast-trial")?.remove();
    running(true);
  });
  onRun("htmx:afterRequest", (detail) => {
    running(false);
    const { status, responseText } = detail.xhr;
    if (detail.successful || status === 401) return;
    let message = status ? words.broken : words.gone;
    try {
      message = JSON.parse(responseText).details || message;
    } catch {
      /* no words of ours */
    }
    panel.complain(message);
  });
  onRun("htmx:afterSwap", () => {
    const outcome = at("trial-outcome");
    const before = outcome.querySelector("[data-before]");
    if (before) before.src = at("trial-shown").src;
    tell(outcome.querySelector("[data-said]").textContent, before ? "success" : "failed");
    outcome.scrollIntoView({ block: "nearest" });
    window.htmx.trigger("#kept-trials", "refresh");
  });
  panel.addEventListener("click", (event) => {
    const link = event.target.closest("[data-field]");
    if (!link) return;
    event.preventDefault();
    // A recipe's fields have names of their own.
    const wrong = at(link.dataset.field) || field(link.dataset.field);
    (wrong?.[0] || wrong)?.focus();
  });
})();
