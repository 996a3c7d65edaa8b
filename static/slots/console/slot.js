"use strict";
// The slot page: what is saved and what not, and that nobody leaves by mistake what is not.
// form.redraw puts what the server has drawn anew in its place, and opens what was open there.
(() => {
  const form = document.getElementById("slot-form");
  let isUnsaved = "unsaved" in form.dataset;

  const show = () => {
    const state = document.getElementById("save-state");
    state.textContent = isUnsaved ? state.dataset.unsaved : state.dataset.saved;
    form.toggleAttribute("data-unsaved", isUnsaved);
  };
  // Counts, so that whoever saves knows whether something was typed meanwhile.
  form.touched = 0;
  form.touch = () => {
    form.touched += 1;
    if (isUnsaved) return;
    isUnsaved = true;
    show();
  };
  form.settle = (isSaved) => {
    isUnsaved = !isSaved;
    show();
  };
  const touched = (event) => {
    if (event.target.closest("#slot-form") && !event.target.closest("#trial")) form.touch();
  };
  for (const kind of ["input", "change"]) document.addEventListener(kind, touched);
  document.addEventListener("slot:changed", form.touch); // a template picture came or went
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-leaves]")) isUnsaved = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.code !== "KeyS") return;
    event.preventDefault(); // or the browser would save the page as a file
    if (!document.querySelector("dialog[open]"))
      form.requestSubmit(document.getElementById("save"));
  });

  form.redraw = (known, drawn) => {
    const open = [...known.querySelectorAll("details[open]")].map((one) => one.id);
    const at = document.activeElement;
    const { id, selectionStart, selectionEnd } = at;
    const isInside = id && known.contains(at);
    known.replaceChildren(...drawn.childNodes);
    for (const name of open) document.getElementById(name)?.setAttribute("open", "");
    window.htmx.process(known);
    document.dispatchEvent(new Event("slot:redrawn"));
    const again = isInside && document.getElementById(id);
    if (!again) return;
    again.focus({ preventScroll: true });
    if (typeof selectionStart === "number" && again.type !== "radio")
      again.setSelectionRange(selectionStart, selectionEnd);
  };
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.id !== "recipe" || !detail.shouldSwap) return;
    detail.shouldSwap = false; // the fields of another provider or operation
    const drawn = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
    form.redraw(detail.target, drawn.body);
    if (!detail.requestConfig.elt.matches("[data-takes]")) return;
    form.touch(); // the recipe of an earlier test
    detail.target.scrollIntoView();
  });
})();
