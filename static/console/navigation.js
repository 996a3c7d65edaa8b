"use strict";
// “More” closes as people expect; without this file it opens and closes by its own button.
// A field that a link points to is brought out of its fold, and focused.
(() => {
  const showTarget = () => {
    const target =
      location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let fold = target; fold; fold = fold.parentElement)
      if (fold.matches("details")) fold.open = true;
    target.scrollIntoView({ block: "center" });
    if (target.matches("input, select, textarea, button, a")) target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", showTarget);
  showTarget();

  const more = document.querySelector(".pull-down");
  if (!more) return;
  document.addEventListener("click", (event) => {
    if (!more.contains(event.target)) more.open = false;
  });
  more.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !more.contains(event.relatedTarget)) more.open = false;
  });
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !more.open) return;
    more.open = false;
    more.querySelector("summary").focus();
  });
})();
