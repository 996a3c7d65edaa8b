"use strict";
// The slot page: nobody leaves by mistake what is not saved; the server draws the provider's fields.
(() => {
  const form = document.getElementById("slot-form");
  const recipe = document.getElementById("recipe");
  let isUnsaved = "unsaved" in form.dataset;

  const touched = (event) => {
    if (event.target.closest("#slot-form") && !event.target.closest("#trial")) isUnsaved = true;
  };
  for (const kind of ["input", "change"]) document.addEventListener(kind, touched);
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    isUnsaved = false;
    form.classList.add("flashed");
  });
  document.addEventListener("slot:changed", () => {
    isUnsaved = true; // a template picture came or went
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-leaves]")) isUnsaved = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });

  // What is open stays open when another provider or operation is chosen.
  let open = [];
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target === recipe)
      open = [...recipe.querySelectorAll("details[open]")].map((d) => d.id);
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target !== recipe) return;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });
})();
