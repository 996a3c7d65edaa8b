"use strict";
// What a slot's menu does is sent without leaving the page; the answer comes in as every refresh
// does (console/live.js). Menus close as people expect.
(() => {
  const dashboard = document.getElementById("dashboard");
  const close = (menu, at) => {
    menu.open = false;
    if (at) menu.querySelector("summary").focus();
  };

  // One line for each slot, as this browser's owner likes it.
  const dense = document.getElementById("dense");
  const showDense = (isDense) => {
    dashboard.classList.toggle("dense", isDense);
    dense.setAttribute("aria-pressed", String(isDense));
    localStorage.setItem("dashboard.dense", isDense ? "1" : "");
  };
  dense.hidden = false;
  showDense(Boolean(localStorage.getItem("dashboard.dense")));
  dense.addEventListener("click", () => showDense(!dashboard.classList.contains("dense")));

  document.addEventListener("submit", async (event) => {
    if (event.target.id !== "slot-actions") return;
    event.preventDefault();
    const button = event.submitter;
    const card = button.closest(".slot");
    const values = Object.fromEntries(new FormData(event.target, button));
    const menu = button.closest(".menu");
    // A part that holds the focus is not replaced: this one is going to lose its button.
    if (menu) close(menu, true);
    else button.closest("[data-live][tabindex]")?.focus({ preventScroll: true });
    card.setAttribute("aria-busy", "true");
    const to = { source: dashboard, target: dashboard, values };
    await window.htmx.ajax("POST", button.formAction, to);
    card.removeAttribute("aria-busy");
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("#ask")) return; // a question that the menu has asked
    for (const menu of document.querySelectorAll(".menu[open]"))
      if (!menu.contains(event.target) || event.target.closest(".choices a")) close(menu);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".menu[open]");
    if (menu && !document.querySelector("#ask[open]")) close(menu, true);
  });
})();
