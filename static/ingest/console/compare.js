"use strict";
// Before and after in one frame: the slider says where the one ends and the other begins.
document.addEventListener("input", (event) => {
  const frame = event.target.closest("[data-compare]");
  if (frame) frame.style.setProperty("--at", `${event.target.value}%`);
});
