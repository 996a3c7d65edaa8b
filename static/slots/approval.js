"use strict";
// Without this file each tap loads the page anew. With it what is decided leaves at once, and what
// is new comes by itself: never above what a thumb is about to press.
const EVERY_MS = 5000;
const page = document.getElementById("approval");
let isBusy = false;

const show = (text) => {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const told = fresh.getElementById("approval");
  if (!told) return window.location.reload(); // the PIN is asked for again
  const known = new Map([...page.querySelectorAll("li[data-id]")].map((li) => [li.dataset.id, li]));
  for (const li of told.querySelectorAll("li[data-id]")) {
    if (known.has(li.dataset.id)) li.replaceWith(known.get(li.dataset.id)); // its picture stays
  }
  if (!told.querySelector("#note").textContent.trim()) {
    told.querySelector("#note").textContent = page.querySelector("#note").textContent;
  }
  page.replaceChildren(...told.childNodes);
  document.getElementById("tabs").replaceWith(fresh.getElementById("tabs"));
};

const ask = async (address, options) => {
  if (isBusy) return;
  isBusy = true;
  try {
    const answer = await fetch(address, { ...options, cache: "no-store" });
    show(await answer.text());
  } catch {
    // No network: the next time.
  }
  isBusy = false;
};

document.addEventListener("submit", (event) => {
  if (!event.target.closest(".decide")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  ask(event.target.action, { method: "POST", body });
});
setInterval(() => {
  if (!document.hidden)
    ask(window.location.pathname + window.location.search.replace(/&?done=\w+/, ""));
}, EVERY_MS);
