"use strict";
// Two layers take turns, however many pictures and hours there are; nothing else is ever added.
const SHOWN_MS = 8000, IDLE_MS = 3000;
const show = document.getElementById("show");
const layers = [...show.querySelectorAll(".slide")];
let pictures = [], current = null, tried = null, isPaused = false, turn = 0, timer = null, idle = null;

const isOver = (picture) => picture.expires_at && Date.parse(picture.expires_at) <= Date.now();
const at = (step) => {
  const place = pictures.findIndex((picture) => picture.job_id === tried);
  return pictures[(Math.max(place, step < 0 ? 0 : -1) + step + pictures.length) % pictures.length];
};

// The screen may know us by another name than the guests' links do; its own is the one it may use.
const here = (address) => new URL(address).pathname;

const wait = () => {
  clearTimeout(timer);
  timer = setTimeout(() => (isPaused ? wait() : reveal(at(1))), SHOWN_MS);
};

const rest = () => {
  current = null;
  for (const layer of layers) hide(layer);
  document.getElementById("waiting").hidden = false;
};
const hide = (layer) => {
  layer.classList.remove("seen");
  layer.setAttribute("aria-hidden", "true");
};

const reveal = async (picture) => {
  wait();
  pictures = pictures.filter((other) => !isOver(other));
  if (!pictures.length) return rest();
  if (!picture || picture.job_id === current) return;
  tried = picture.job_id; // one that cannot be shown must not stand in the way of the next
  const mine = ++turn;
  const [layer, other] = layers[0].classList.contains("seen") ? layers.slice().reverse() : layers;
  const [photo, code] = layer.querySelectorAll("img");
  photo.src = `${here(picture.result_url)}?inline=1`;
  code.src = here(picture.page_url).replace(/page$/, "qr.svg");
  try {
    await Promise.all([photo.decode(), code.decode()]);
  } catch {
    return; // gone, or no network: the next turn tries another one
  }
  if (mine !== turn) return; // a newer one came in while this one was loading
  current = picture.job_id;
  layer.classList.add("seen");
  layer.removeAttribute("aria-hidden");
  hide(other);
  document.getElementById("waiting").hidden = true;
};

const take = (text) => {
  const known = new Set(pictures.map((picture) => picture.job_id));
  pictures = JSON.parse(text).results;
  const isGone = !pictures.some((picture) => picture.job_id === current);
  const newest = pictures[0];
  if (newest && !known.has(newest.job_id) && !isPaused) return reveal(newest);
  return isGone ? reveal(newest) : null;
};

const actions = {
  next: () => reveal(at(1)),
  previous: () => reveal(at(-1)),
  pause: () => {
    isPaused = !isPaused;
    document.getElementById("paused").hidden = !isPaused;
    show.querySelector("[data-does=pause]").setAttribute("aria-pressed", isPaused);
  },
  fullscreen: () =>
    document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen().catch(() => {}),
};
const keys = { " ": "pause", ArrowRight: "next", ArrowLeft: "previous", f: "fullscreen" };
document.addEventListener("keydown", (event) => {
  if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.closest("button")) return; // the button's own key
  event.preventDefault();
  actions[keys[event.key]]();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-does]");
  if (button) actions[button.dataset.does]();
});

const wake = () => {
  clearTimeout(idle);
  document.body.classList.remove("idle");
  idle = setTimeout(() => document.body.classList.add("idle"), IDLE_MS);
};
for (const kind of ["pointermove", "keydown", "focusin"]) document.addEventListener(kind, wake);

// The screen must not go dark; browsers let go of it whenever the page is hidden.
const stayAwake = () =>
  document.hidden || navigator.wakeLock?.request("screen").catch(() => {});
document.addEventListener("visibilitychange", stayAwake);

const follower = window.follow(show.dataset.follow, {
  onNews: take,
  onTrouble: (isThere) => {
    document.getElementById("offline").hidden = !isThere;
  },
  onClosed: () => {
    pictures = [];
    rest();
  },
});
stayAwake();
wake();
wait();
follower.ask();
