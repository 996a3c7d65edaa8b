"use strict";
// Copies a field's text. Over plain HTTP browsers have no clipboard for pages; the old way is left.
(() => {
  const SHOWN_MS = 2000;
  const said = document.getElementById("copied");

  const copyOldWay = (field) => {
    const before = document.activeElement;
    field.select();
    const done = document.execCommand("copy");
    if (done) {
      window.getSelection().removeAllRanges();
      before.focus();
    }
    return done;
  };

  const copy = async (field) => {
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      return copyOldWay(field);
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const word = button.querySelector(".word");
    const isDone = await copy(document.getElementById(button.dataset.copies));
    said.textContent = "";
    said.textContent = isDone ? said.dataset.text : said.dataset.failed;
    if (!isDone || button.classList.contains("done")) return;
    const before = word.textContent;
    word.textContent = said.dataset.text;
    button.classList.add("done");
    setTimeout(() => {
      word.textContent = before;
      button.classList.remove("done");
      said.textContent = "";
    }, SHOWN_MS);
  });

  // The whole link at once, also by hand.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("input[readonly]")) event.target.select();
  });
})();
