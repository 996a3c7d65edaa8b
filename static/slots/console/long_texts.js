"use strict";
// Long texts tell how much of their room is used, and grow with what is typed where style sheets
// alone cannot make them.
(() => {
  const form = document.getElementById("slot-form");
  const grows = !CSS.supports("field-sizing", "content");

  const follow = (box) => {
    const count = form.querySelector(`[data-counts="${box.id}"]`);
    if (count) {
      const used = [...box.value].length; // as the server counts: an emoji is one
      count.textContent = used;
      count.parentElement.classList.toggle("over", used > Number(count.dataset.limit));
    }
    if (!grows) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 2}px`;
  };
  const followAll = () => form.querySelectorAll("textarea").forEach(follow);

  form.addEventListener("input", ({ target }) => {
    if (target.matches("textarea")) follow(target);
  });
  document.addEventListener("slot:redrawn", followAll);
  followAll();
})();
