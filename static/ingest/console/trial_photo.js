"use strict";
// The photo of a test run: chosen or dropped, looked at before it is sent. None is the sample.
(() => {
  const at = (id) => document.getElementById(id);
  const panel = at("trial");
  if (!panel) return;
  const file = at("trial-file");
  const MB = 1024 * 1024;
  const MOST_MB = 20; // of any slot

  panel.complain = (text) => {
    at("trial-wrong").textContent = text || "";
    at("trial-wrong").hidden = !text;
  };

  const choose = (chosen) => {
    const limit = Number(file.form?.elements.namedItem("size_limit_mb")?.value) || MOST_MB;
    if (chosen && !/^image\/(jpeg|png|webp)$/.test(chosen.type))
      return panel.complain(panel.dataset.type);
    if (chosen && chosen.size > limit * MB) return panel.complain(panel.dataset.large);
    panel.complain();
    panel.photo = chosen || null;
    const shown = at("trial-shown");
    // Freed with the page: an earlier run's frame still shows it.
    shown.src = chosen ? URL.createObjectURL(chosen) : shown.dataset.sample;
    at("trial-name").textContent = chosen ? chosen.name : at("trial-name").dataset.sample;
    at("trial-drop-it").hidden = !chosen;
    at("trial-status").value = chosen ? "present" : "removed";
    return undefined;
  };

  const take = () => {
    if (file.files[0]) choose(file.files[0]);
    file.value = ""; // the same file may be chosen again
  };
  file.addEventListener("change", take);
  take(); // over a slow link somebody is faster than this script
  at("trial-drop-it").addEventListener("click", () => {
    choose(null);
    file.focus();
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    at("trial-drop").addEventListener(kind, (event) => {
      event.preventDefault();
      at("trial-drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
    });
})();
