"use strict";
// The template pictures of the slot page: uploaded at once, saved with the slot.
(() => {
  const form = document.getElementById("slot-form");
  const recipe = document.getElementById("recipe");
  const words = recipe.dataset;
  const [MOST_BYTES, MOST] = [20 * 1024 * 1024, 10];
  const changed = () => document.dispatchEvent(new Event("slot:changed"));

  const complain = (text) => {
    const place = document.getElementById("template-wrong");
    place.textContent = text || "";
    place.hidden = !text;
  };
  const present = () => recipe.querySelectorAll("[name=template_status][value=present]").length;
  const upload = async (file) => {
    if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return complain(words.type);
    if (file.size > MOST_BYTES) return complain(words.large);
    if (present() >= MOST) return complain(words.many);
    complain();
    const body = new FormData(form);
    body.set("template_file", file);
    const zone = document.getElementById("template-drop");
    zone.setAttribute("aria-busy", "true");
    try {
      const headers = { "HX-Request": "true", "X-CSRFToken": body.get("csrfmiddlewaretoken") };
      const answer = await fetch(words.upload, { method: "POST", body, headers });
      if (!answer.ok) return complain(words.gone);
      const drawn = new DOMParser()
        .parseFromString(await answer.text(), "text/html")
        .querySelector("li");
      if (drawn.dataset.wrong) return complain(drawn.dataset.wrong);
      document.getElementById("template-list").append(document.adoptNode(drawn));
      changed();
    } catch {
      complain(words.gone);
    } finally {
      zone.removeAttribute("aria-busy");
    }
    return undefined;
  };
  document.addEventListener("change", ({ target }) => {
    if (target.id !== "template-file" || !target.files[0]) return;
    upload(target.files[0]);
    target.value = ""; // the same file may be chosen again
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest("#template-drop");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
    });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-removes]");
    if (!link) return;
    event.preventDefault();
    const row = link.closest(".template");
    row.querySelector("[name=template_status]").setAttribute("value", "removed");
    row.hidden = true;
    changed();
    document.getElementById("template-file")?.focus();
  });
})();
