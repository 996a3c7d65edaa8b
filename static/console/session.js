"use strict";
// The session may end, or another tab log in anew, while somebody types: nothing of it is lost.
(() => {
  const TOKEN = "csrfmiddlewaretoken";
  let isTyping = false; // something that no server has seen yet

  // A log-in in another tab has made a new form token; the one this page came with is void.
  const token = () =>
    document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ||
    document.querySelector(`[name=${TOKEN}]`)?.value;

  document.addEventListener("input", (event) => {
    if (event.target.closest("#content form[method=post]")) isTyping = true;
  });
  document.addEventListener("submit", (event) => {
    isTyping = false;
    const field = event.target.elements.namedItem(TOKEN);
    if (field && token()) field.value = token();
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token();
  });

  const askToLogIn = (address) => {
    if (document.getElementById("asks-to-log-in")) return;
    const toast = document.getElementById("toast-login").content.firstElementChild.cloneNode(true);
    toast.querySelector("a").href = address;
    window.toast(toast);
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const address = event.detail.xhr.getResponseHeader("X-Login");
    if (event.detail.xhr.status !== 401 || !address) {
      document.getElementById("asks-to-log-in")?.remove();
      return;
    }
    event.detail.shouldSwap = false;
    if (isTyping) askToLogIn(address);
    else window.location.assign(address);
  });
})();
