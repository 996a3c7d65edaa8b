"use strict";
// What is shown now comes in by itself, into every `.live`. Only what has changed is put in its
// place (`data-live`, by id; the children of `data-live-list`, by id, come and go), so that nothing
// flickers, and nothing is taken from under somebody's hands. htmx 2 cannot morph; htmx 4 can, but
// renames every event and has no `xhr`, on which all scripts here build.
(() => {
  const isInUse = () => document.querySelector("#ask[open], .menu[open]");

  const isHeld = (known, part) => {
    const at = document.activeElement;
    if (known.contains(at) && at !== known && !part.querySelector(`[id="${at.id || " "}"]`))
      return true;
    const chosen = document.getSelection();
    return !chosen.isCollapsed && known.contains(chosen.anchorNode); // being copied
  };

  const move = (list, child, place) => {
    const at = child.contains(document.activeElement) && document.activeElement;
    list.insertBefore(child, place);
    if (at) at.focus({ preventScroll: true });
  };

  const mergeList = (list, wanted) => {
    const ids = new Set([...wanted.children].map((child) => child.id));
    for (const child of [...list.children]) if (!ids.has(child.id)) child.remove();
    let place = list.firstElementChild;
    for (const child of [...wanted.children]) {
      const known = document.getElementById(child.id);
      if (known) known.className = child.className;
      if (known && known === place) place = known.nextElementSibling;
      else move(list, known || child, place);
    }
  };

  const merge = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const wanted of fresh.querySelectorAll("[data-live-list]"))
      mergeList(document.getElementById(wanted.id), wanted);
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const known = document.getElementById(part.id);
      if (!known || known.isEqualNode(part) || isHeld(known, part)) continue;
      const at = known.contains(document.activeElement) && document.activeElement.id;
      known.replaceWith(part);
      if (at) document.getElementById(at)?.focus({ preventScroll: true });
    }
    for (const shut of document.querySelectorAll(".live > details[hidden]")) shut.hidden = false;
    window.toast(...(fresh.getElementById("new-toasts")?.children || []));
  };

  // What must be known in a tab that nobody looks at, and while a menu is open: the alarm.
  const isUrgent = (event) => event.detail.target.matches("[data-urgent]");

  // What is not refreshed must not look as if it were true now.
  let freshAt = new Date();
  const showAge = (isFresh, status) => {
    const pill = document.getElementById("offline");
    pill.hidden = isFresh;
    document.body.classList.toggle("stale", !isFresh);
    if (isFresh) freshAt = new Date();
    const { offline, broken, since } = pill.dataset;
    if (!isFresh && offline)
      pill.textContent = `${status >= 500 ? broken : offline} ${since} ${freshAt.toLocaleTimeString()}`;
  };

  const isOurs = (event) => event.detail.target.matches(".live");
  const isRefresh = (event) => event.detail.requestConfig.verb === "get";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isOurs(event) || !isRefresh(event)) return;
    const isFirst = event.detail.target.querySelector(".loading");
    if (!isFirst && !isUrgent(event) && (document.hidden || isInUse())) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isOurs(event) || !event.detail.shouldSwap) return;
    event.detail.shouldSwap = false;
    if (isRefresh(event) && !isUrgent(event) && isInUse()) return; // opened meanwhile
    merge(event.detail.xhr.responseText);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = event.detail;
    if (isOurs(event) && !isUrgent(event)) showAge(successful || xhr.status === 401, xhr.status);
  });
})();
