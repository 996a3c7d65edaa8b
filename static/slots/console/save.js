"use strict";
// Saving without leaving the page, so that the test photo and its result stay. The server answers
// with the whole page, as to a browser without scripts; what has data-redrawn is taken from it. Parts
// of "fields" hold what was typed: they are drawn anew only to mark mistakes or to take marks away;
// those of "saved" also to show what follows from it.
(() => {
  const form = document.getElementById("slot-form");
  const button = document.getElementById("save");
  let [isMarked, touchedBefore] = ["unsaved" in form.dataset, 0];

  const tell = (text) => {
    const toast = document.createElement("li");
    [toast.id, toast.className, toast.textContent] = ["toast-save", "error", text];
    document.getElementById("toast-save")?.remove();
    window.toast(toast);
  };
  const isOurs = (event) => (event.detail.requestConfig?.elt || event.detail.elt) === form;

  const draw = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const served = fresh.getElementById("slot-form");
    if (!served) return tell(form.dataset.broken);
    const isRefused = "unsaved" in served.dataset;
    const isTyping = form.touched !== touchedBefore; // it would be lost
    const drawsFields = (isRefused || isMarked) && !isTyping;
    const draws = { fields: drawsFields, saved: !isTyping, "": true };
    for (const part of fresh.querySelectorAll("[data-redrawn]"))
      if (draws[part.dataset.redrawn]) form.redraw(document.getElementById(part.id), part);
    isMarked = isRefused || (isMarked && isTyping);
    form.settle(!isRefused && !isTyping);
    window.toast(...fresh.querySelectorAll("#toasts > li"));
    if (isRefused)
      (document.getElementById("conflict") || form.querySelector("[autofocus]"))?.focus();
    else form.classList.add("flashed");
    return undefined;
  };

  form.addEventListener("animationend", () => form.classList.remove("flashed"));
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isOurs(event)) return;
    touchedBefore = form.touched;
    document.getElementById("toast-save")?.remove();
    button.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, shouldSwap } = event.detail;
    if (!isOurs(event)) return;
    event.detail.shouldSwap = false;
    if (xhr.status === 409 || (shouldSwap && xhr.status === 200)) draw(xhr.responseText);
    else if (xhr.status !== 401) tell(form.dataset.broken); // 401: asked to log in already
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isOurs(event)) return;
    button.removeAttribute("aria-busy");
    if (!event.detail.xhr.status) tell(form.dataset.gone);
  });
})();
