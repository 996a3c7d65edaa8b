"use strict";
// On a phone a plot is wider than the screen: what is newest is shown first, at its right end.
(() => {
  const shown = new WeakSet();
  const showNewest = () => {
    for (const drawn of document.querySelectorAll(".drawn"))
      if (!shown.has(drawn)) {
        shown.add(drawn);
        drawn.scrollLeft = drawn.scrollWidth;
      }
  };
  const plots = document.getElementById("plots");
  new MutationObserver(showNewest).observe(plots, { childList: true, subtree: true });
  showNewest();
})();
