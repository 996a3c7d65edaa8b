"use strict";
// The photos of a lab run: uploaded one by one as they are chosen or dropped.
(() => {
  const form = document.getElementById("lab-upload");
  const zone = document.getElementById("lab-drop");
  const list = document.getElementById("lab-photos");
  const busy = document.getElementById("lab-busy");
  const { most, mostMb, type, large, gone } = form.dataset;

  const refuse = (file) => {
    if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return type;
    return file.size > mostMb * 1024 * 1024 ? large : "";
  };
  // What is wrong with the file, or nothing once it stands in the list.
  const upload = async (file) => {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.set("photos", file);
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { "HX-Request": "true" },
    });
    if (!answer.ok) return `${file.name}: ${gone}`;
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
    const wrong = drawn.getElementById("lab-wrong").textContent;
    list.replaceChildren(...drawn.body.childNodes);
    return wrong;
  };
  const add = async (files) => {
    zone.setAttribute("aria-busy", "true");
    const wrong = [];
    for (const [number, file] of files.slice(0, Number(most) + 1).entries()) {
      busy.textContent = `${form.dataset.busy} ${number + 1} / ${files.length}`;
      const words = refuse(file);
      const found = words ? `${file.name}: ${words}` : await upload(file).catch(() => gone);
      if (found) wrong.push(found);
    }
    busy.textContent = "";
    zone.removeAttribute("aria-busy");
    const place = document.getElementById("lab-wrong");
    place.hidden = !wrong.length;
    place.textContent = wrong.join("\n");
  };
  const chosen = document.getElementById("lab-files");
  const take = () => {
    const files = [...chosen.files];
    chosen.value = ""; // the same file may be chosen again
    if (files.length) add(files);
  };
  chosen.addEventListener("change", take);
  take(); // over a slow link somebody is faster than this script
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) add([...event.dataTransfer.files]);
    });
})();
