"use strict";
// A guest's page works without this file; with it, deleting asks on the page, and phones can share.
const share = document.querySelector("[data-share]");
if (navigator.share) share.hidden = false;
share.addEventListener("click", () => {
  navigator.share({ title: document.title, url: share.dataset.share }).catch(() => {
    // The guest thought better of it.
  });
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener && window.HTMLDialogElement) {
    event.preventDefault();
    document.getElementById(opener.dataset.opens).showModal();
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
});
