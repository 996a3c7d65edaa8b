"use strict";
// A guest's page works without this file; with it, deleting asks on the page, and phones can share
// the picture itself. Sharing must follow the tap at once, so the file is fetched before.
const share = document.querySelector("[data-share]");
const picture = document.querySelector(".large");
let file = null;

const canShareFile = (candidate) => {
  try {
    return Boolean(navigator.canShare?.({ files: [candidate] }));
  } catch {
    return false;
  }
};

const fetchFile = async () => {
  const { type } = share.dataset;
  const name = `photo.${type.replace("image/", "").replace("jpeg", "jpg")}`;
  if (!canShareFile(new File(["-"], name, { type }))) return;
  try {
    const answer = await fetch(share.dataset.file); // out of the browser's cache
    if (answer.ok) file = new File([await answer.blob()], name, { type });
  } catch {
    return; // the link is left
  }
  if (file) share.hidden = false;
};

if (navigator.share) {
  share.hidden = !share.dataset.share; // a link that leads nowhere is not sent
  if (picture.complete) fetchFile();
  else picture.addEventListener("load", fetchFile, { once: true });
}
share.addEventListener("click", () => {
  const link = { title: document.title, url: share.dataset.share };
  navigator.share(file && canShareFile(file) ? { files: [file] } : link).catch(() => {
    // The guest thought better of it.
  });
});

// An iPad says that it is a Mac; no Mac has a touch screen.
if (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1) {
  document.getElementById("apple-hint").hidden = false;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener && window.HTMLDialogElement) {
    event.preventDefault();
    document.getElementById(opener.dataset.opens).showModal();
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
});
