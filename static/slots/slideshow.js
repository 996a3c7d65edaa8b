"use strict";
// Two layers take turns, however many pictures and hours there are; nothing else is ever added.
const SHOWN_MS = 8000;
const show = document.getElementById("show");
const layers = [...show.querySelectorAll(".slide")];
let pictures = [],
  current = null,
  tried = null,
  isPaused = false,
  turn = 0,
  timer = null;

const isOver = (picture) => picture.expires_at && Date.parse(picture.expires_at) <= Date.now();
const at = (step) => {
  const place = pictures.findIndex((picture) => picture.id === tried);
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
  turn += 1; // whatever is still loading comes too late
  for (const layer of layers) hide(layer);
  document.getElementById("waiting").hidden = false;
  document.getElementById("sign").hidden = true;
};
const hide = (layer) => {
  layer.classList.remove("seen");
  layer.setAttribute("aria-hidden", "true");
};

const reveal = async (picture) => {
  wait();
  pictures = pictures.filter((other) => !isOver(other));
  if (!pictures.length) return rest();
  if (!picture || picture.id === current) return;
  tried = picture.id; // one that cannot be shown must not stand in the way of the next
  const mine = ++turn;
  const [layer, other] = layers[0].classList.contains("seen") ? layers.slice().reverse() : layers;
  const [backdrop, photo, code] = layer.querySelectorAll("img");
  backdrop.src = here(picture.preview_url); // small: it is blurred, and fills the screen
  photo.src = `${here(picture.result_url)}?inline=1`;
  // No phone can open our address: a line says so in the code's place.
  if (code) code.src = here(picture.page_url).replace(/page$/, "qr.svg");
  try {
    await Promise.all([photo.decode(), code?.decode()]);
  } catch {
    // Gone, or no network: the next turn tries another one. What was deleted must not stay, though.
    return mine === turn && !pictures.some((other) => other.id === current) && rest();
  }
  if (mine !== turn) return; // a newer one came in while this one was loading
  current = picture.id;
  layer.classList.add("seen");
  layer.removeAttribute("aria-hidden");
  hide(other);
  document.getElementById("waiting").hidden = true;
  document.getElementById("sign").hidden = false;
};

const take = (text) => {
  const known = new Set(pictures.map((picture) => picture.id));
  pictures = JSON.parse(text).results;
  const isGone = !pictures.some((picture) => picture.id === current);
  const isNews = pictures.length && !known.has(pictures[0].id) && !isPaused;
  if (isNews || isGone) reveal(pictures[0]); // not awaited: a picture may never come
};

const actions = {
  next: () => reveal(at(1)),
  previous: () => reveal(at(-1)),
  pause: () => {
    isPaused = !isPaused;
    document.getElementById("paused").hidden = !isPaused;
    show.querySelector("[data-does=pause]").setAttribute("aria-pressed", isPaused);
  },
};
document.addEventListener("show", (event) => actions[event.detail]?.());

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
wait();
follower.ask();
