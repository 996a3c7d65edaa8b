"use strict";
// The session may end, or another tab log in anew, while somebody types: nothing of it is lost.
(() => {
  const TOKEN = "csrfmiddlewaretoken";
  const SURE_MS = 20000; // so long after a look, the session is taken to be there
  const words = document.getElementById("toast-login");
  let isTyping = false; // something that no server has seen yet
  let lookedAt = -SURE_MS;

  // A log-in in another tab has made a new form token; the one this page came with is void.
  const token = () =>
    document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/)?.[1] ||
    document.querySelector(`[name=${TOKEN}]`)?.value;

  const hush = () => document.getElementById("asks-to-log-in")?.remove();
  const askToLogIn = (address) => {
    if (document.getElementById("asks-to-log-in")) return;
    const toast = words.content.firstElementChild.cloneNode(true);
    toast.querySelector("a").href = address;
    window.toast(toast);
  };
  const tellOffline = () => {
    const toast = document.createElement("li");
    toast.className = "error";
    toast.textContent = words.dataset.offline;
    window.toast(toast);
  };

  document.addEventListener("input", (event) => {
    if (event.target.closest("#content form[method=post]")) isTyping = true;
  });

  // Whether the session is there; if not, somebody has been asked to log in.
  const look = async () => {
    try {
      const headers = { "HX-Request": "true", "HX-Current-URL": window.location.href };
      const answer = await fetch(words.dataset.session, { headers, cache: "no-store" });
      if (answer.status === 401) return askToLogIn(answer.headers.get("X-Login"));
    } catch {
      return tellOffline();
    }
    hush();
    lookedAt = performance.now();
    return true;
  };
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const isPlain =
        form.method === "post" && form.closest("#content") && !form.matches("[hx-post]");
      if (isPlain && isTyping && words.dataset.session && performance.now() - lookedAt > SURE_MS) {
        event.preventDefault();
        event.stopImmediatePropagation();
        // One that would run into the door or into nothing is not sent: it stays filled in.
        look().then((isThere) => isThere && form.requestSubmit(event.submitter));
        return;
      }
      const field = form.elements.namedItem(TOKEN);
      if (field && token()) field.value = token();
    },
    true,
  );

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const address = event.detail.xhr.getResponseHeader("X-Login");
    if (event.detail.xhr.status === 403 && words.dataset.session) look(); // the token's cookie went too
    if (event.detail.xhr.status !== 401 || !address) return hush();
    event.detail.shouldSwap = false;
    if (event.detail.target.id === "alarm") return undefined; // nobody has asked for it
    return isTyping ? askToLogIn(address) : window.location.assign(address);
  });
})();
