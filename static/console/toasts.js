"use strict";
// Messages that leave by themselves, unless they tell of trouble or somebody is at them.
(() => {
  const SHOWN_MS = 7000;
  const list = document.getElementById("toasts");
  const template = document.getElementById("toast-close");

  const dress = (toast) => {
    const close = template.content.firstElementChild.cloneNode(true);
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    const leave = () => {
      if (toast.matches(":hover, :focus-within")) setTimeout(leave, SHOWN_MS);
      else toast.remove();
    };
    if (!toast.matches(".error, .warning")) setTimeout(leave, SHOWN_MS);
  };

  // Screen readers tell only what comes into a list that was there before.
  window.toast = (...toasts) => {
    for (const toast of toasts) {
      dress(toast);
      list.append(toast);
    }
  };
  const first = [...list.children];
  list.replaceChildren();
  setTimeout(() => window.toast(...first), 50);
})();
