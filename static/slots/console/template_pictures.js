"use strict";
// The template pictures of the slot page: uploaded at once, saved with the slot.
(() => {
  const form = document.getElementById("slot-form");
  const recipe = document.getElementById("recipe");
  const words = recipe.dataset;
  const [MOST_BYTES, MOST] = [20 * 1024 * 1024, 10];
  const changed = () => document.dispatchEvent(new Event("slot:changed"));

  const place = () => document.getElementById("template-wrong");
  const complain = (...lines) => {
    place().textContent = [place().textContent, ...lines].filter(Boolean).join("\n");
    place().hidden = false;
  };
  const present = () => recipe.querySelectorAll("[name=template_status][value=present]").length;

  const refuse = (file) => {
    if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return words.type;
    return file.size > MOST_BYTES ? words.large : "";
  };
  // What is wrong with the file, or nothing once it stands in the list.
  const upload = async (file) => {
    const body = new FormData(form);
    body.set("template_file", file);
    const headers = { "HX-Request": "true", "X-CSRFToken": body.get("csrfmiddlewaretoken") };
    const answer = await fetch(words.upload, { method: "POST", body, headers });
    if (!answer.ok) return words.gone;
    const drawn = new DOMParser()
      .parseFromString(await answer.text(), "text/html")
      .querySelector("li");
    if (drawn.dataset.wrong) return drawn.dataset.wrong;
    document.getElementById("template-list").append(document.adoptNode(drawn));
    changed();
    return "";
  };
  const add = async (files) => {
    [place().hidden, place().textContent] = [true, ""];
    const zone = document.getElementById("template-drop");
    zone.setAttribute("aria-busy", "true");
    const many = [];
    for (const file of files) {
      if (present() >= MOST) {
        many.push(file.name);
        continue;
      }
      const wrong = refuse(file) || (await upload(file).catch(() => words.gone)); // in their order
      if (wrong) complain(files.length > 1 ? `${file.name}: ${wrong}` : wrong);
    }
    if (many.length) complain(`${words.many} ${many.join(", ")}`);
    zone.removeAttribute("aria-busy");
  };
  const take = (chosen) => {
    const files = [...chosen.files];
    chosen.value = ""; // the same file may be chosen again
    if (files.length) add(files);
  };
  document.addEventListener("change", ({ target }) => {
    if (target.id === "template-file") take(target);
  });
  // Over a slow link somebody is faster than this script.
  for (const chosen of recipe.querySelectorAll("#template-file")) take(chosen);
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest("#template-drop");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) add([...event.dataTransfer.files]);
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
