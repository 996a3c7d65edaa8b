"use strict";
// The slots as they are now come in every few seconds. Only what has changed is put in its place,
// so that nothing flickers and what somebody is at stays as it is.
(() => {
  const board = document.getElementById("board");
  const cards = document.getElementById("cards");
  const inUse = () => document.querySelector("#ask[open], .menu[open]");

  const mergeCards = (wanted) => {
    const ids = new Set([...wanted.children].map((card) => card.id));
    for (const card of [...cards.children]) if (!ids.has(card.id)) card.remove();
    let place = cards.firstElementChild;
    for (const card of [...wanted.children]) {
      const known = document.getElementById(card.id);
      if (known) place = known.nextElementSibling;
      else cards.insertBefore(card, place);
    }
  };

  const merge = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    mergeCards(fresh.getElementById("cards"));
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const known = document.getElementById(part.id);
      if (!known || known.isEqualNode(part)) continue;
      const at = known.contains(document.activeElement) && document.activeElement.id;
      known.replaceWith(part);
      if (at) document.getElementById(at)?.focus({ preventScroll: true });
    }
    window.toast(...(fresh.getElementById("told")?.children || []));
  };

  const isOurs = (event) => event.detail.target === board;
  const offline = (isIt) => {
    document.getElementById("offline").hidden = !isIt;
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    const isRefresh = event.detail.requestConfig.verb === "get";
    if (isOurs(event) && isRefresh && (document.hidden || inUse())) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isOurs(event) || !event.detail.shouldSwap) return;
    event.detail.shouldSwap = false;
    if (event.detail.requestConfig.verb === "get" && inUse()) return; // opened meanwhile
    merge(event.detail.xhr.responseText);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isOurs(event)) offline(!event.detail.successful && event.detail.xhr.status !== 401);
  });

  document.addEventListener("submit", async (event) => {
    if (event.target.id !== "acts") return;
    event.preventDefault();
    const button = event.submitter;
    const card = button.closest(".slot");
    const values = Object.fromEntries(new FormData(event.target, button));
    button.closest(".menu").open = false;
    document.getElementById(`more-${card.id}`).focus();
    card.setAttribute("aria-busy", "true");
    await window.htmx.ajax("POST", button.formAction, { source: board, target: board, values });
    card.removeAttribute("aria-busy");
  });

  // Menus close as people expect.
  const close = (menu, at) => {
    menu.open = false;
    if (at) menu.querySelector("summary").focus();
  };
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
