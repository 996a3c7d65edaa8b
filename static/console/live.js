"use strict";
// What is shown now comes in by itself, into every `.live`. Only what has changed is put in its
// place (`data-live`, by id), and nothing is taken from under somebody's hands.
(() => {
  const isAsking = () => document.querySelector("#ask[open]");

  const isHeld = (known, part) => {
    const at = document.activeElement;
    if (known.contains(at) && at !== known && !part.querySelector(`[id="${at.id || " "}"]`))
      return true;
    const chosen = document.getSelection();
    return !chosen.isCollapsed && known.contains(chosen.anchorNode); // being copied
  };

  const merge = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const known = document.getElementById(part.id);
      if (!known || known.isEqualNode(part) || isHeld(known, part)) continue;
      const at = known.contains(document.activeElement) && document.activeElement.id;
      known.replaceWith(part);
      if (at) document.getElementById(at)?.focus({ preventScroll: true });
    }
    for (const shut of document.querySelectorAll(".live > details[hidden]")) shut.hidden = false;
  };

  const isOurs = (event) => event.detail.target.matches(".live");
  document.addEventListener("htmx:beforeRequest", (event) => {
    const isFirst = event.detail.target.querySelector(".loading");
    if (isOurs(event) && !isFirst && (document.hidden || isAsking())) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isOurs(event) || !event.detail.shouldSwap) return;
    event.detail.shouldSwap = false;
    if (!isAsking()) merge(event.detail.xhr.responseText);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = event.detail;
    if (isOurs(event)) document.getElementById("offline").hidden = successful || xhr.status === 401;
  });
})();
