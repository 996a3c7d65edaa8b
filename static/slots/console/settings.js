"use strict";
// The page works without this file; with it there is a slider, a password is made, and long
// actions show that they run.
(() => {
  const wait = document.getElementById("wait");
  const seconds = document.getElementById("id_sync_response_seconds");
  const password = document.getElementById("id_ingest_password");
  const save = document.getElementById("save");
  const once = document.getElementById("once");

  // The slider and its number.
  wait.hidden = false;
  const follow = (leader, follower) =>
    leader.addEventListener("input", () => {
      follower.value = leader.value;
      document.getElementById("booth-timeout").textContent = Number(seconds.value) + 10;
    });
  follow(wait, seconds);
  follow(seconds, wait);

  // The password: made here; a new one asks before it is saved.
  const askFirst = () => {
    save.dataset.words = save.dataset.says;
    if (password.value) save.dataset.confirm = save.dataset.title;
    else delete save.dataset.confirm;
  };
  const generate = document.getElementById("generate");
  const made = () => {
    const { letters, length } = generate.dataset; // as the server makes passwords
    const drawn = [];
    while (drawn.length < Number(length)) {
      const [number] = crypto.getRandomValues(new Uint8Array(1));
      if (number < 256 - (256 % letters.length)) drawn.push(letters[number % letters.length]);
    }
    return drawn.join("");
  };
  generate.hidden = false;
  generate.addEventListener("click", () => {
    password.type = "text";
    password.value = made();
    password.dispatchEvent(new Event("input", { bubbles: true }));
    once.textContent = generate.dataset.once;
    document.getElementById("copy-password").hidden = false;
  });
  password.addEventListener("input", askFirst);
  document.getElementById("settings-form").addEventListener("submit", () => {
    password.type = "password"; // or browsers would remember it as a plain text
  });

  // Long actions.
  for (const check of document.querySelectorAll(".checks-key")) check.hidden = false;
  const tell = (kind, text) => {
    const toast = document.createElement("li");
    toast.className = kind;
    toast.textContent = text;
    window.toast(toast);
  };
  const buttonOf = (element) =>
    element.id === "clean"
      ? document.getElementById("clean-cache")
      : element.closest(".checks-key");
  document.addEventListener("htmx:beforeRequest", (event) => {
    buttonOf(event.target)?.setAttribute("aria-busy", "true");
    if (event.target.id === "clean") tell("success", event.target.dataset.planned);
    if (event.target.matches(".checks-key")) event.detail.target.replaceChildren();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, target, successful, xhr } = event.detail;
    buttonOf(elt)?.removeAttribute("aria-busy");
    if (successful || xhr.status === 401) return;
    if (elt.id === "clean") tell("error", elt.dataset.failed);
    if (elt.matches(".checks-key")) target.textContent = elt.dataset.failed;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const fresh = document.getElementById("new-toasts");
    if (!fresh) return;
    window.toast(...fresh.children);
    fresh.remove();
  });
})();
