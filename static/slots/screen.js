"use strict";
// A screen that nobody stands at, and the keys and buttons of whoever comes by. What they ask of
// the slide show is passed on as an event: "show", with a word.
const IDLE_MS = 3000;
const KEYS = { " ": "pause", ArrowRight: "next", ArrowLeft: "previous", f: "fullscreen" };
let idle = null;

const does = (what) => {
  if (what !== "fullscreen") {
    document.dispatchEvent(new CustomEvent("show", { detail: what }));
  } else if (document.fullscreenElement) {
    document.exitFullscreen();
  } else {
    document.documentElement.requestFullscreen().catch(() => {}); // the browser may say no
  }
};

document.addEventListener("keydown", (event) => {
  if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.closest("button")) return; // the button's own key
  event.preventDefault();
  does(KEYS[event.key]);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-does]");
  if (button) does(button.dataset.does);
});

const wake = () => {
  clearTimeout(idle);
  document.body.classList.remove("idle");
  idle = setTimeout(() => document.body.classList.add("idle"), IDLE_MS);
};
for (const kind of ["pointermove", "keydown", "focusin"]) document.addEventListener(kind, wake);
wake();

// It must not go dark; browsers let go of it whenever the page is hidden.
const stayAwake = () => {
  if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {}); // on HTTPS only
};
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
