"use strict";
// New pictures come in at the front and gone ones leave; what stays is never touched, so that
// nothing flickers, and what the guest looks at stays where it is.
const results = document.getElementById("results");
const follower = document.querySelector("[data-follow]");
const news = document.getElementById("news");

const merge = (text) => {
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("results");
  const known = new Map([...results.children].map((tile) => [tile.dataset.id, tile]));
  const wanted = new Set([...fresh.children].map((tile) => tile.dataset.id));
  const seen = window.scrollY > 0 && firstSeen(wanted);
  const before = seen && seen.getBoundingClientRect().top;
  for (const [id, tile] of known) if (!wanted.has(id)) tile.remove();
  let place = results.firstElementChild,
    added = 0;
  for (const tile of [...fresh.children]) {
    if (known.has(tile.dataset.id)) {
      place = known.get(tile.dataset.id).nextElementSibling;
      continue;
    }
    tile.classList.add("new");
    results.insertBefore(tile, place);
    added += 1;
  }
  if (seen)
    window.scrollBy({ top: seen.getBoundingClientRect().top - before, behavior: "instant" });
  document.getElementById("empty").hidden = results.children.length > 0;
  if (added) news.textContent = `${news.dataset.text} ${added}`;
};

const firstSeen = (wanted) =>
  [...results.children].find(
    (tile) => wanted.has(tile.dataset.id) && tile.getBoundingClientRect().bottom > 0,
  );

window
  .follow(follower.dataset.follow, {
    onNews: merge,
    onTrouble: (isThere) => {
      document.getElementById("offline").hidden = !isThere;
    },
    onClosed: () => window.location.reload(), // the page that says so
  })
  .again();
