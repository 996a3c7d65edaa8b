"use strict";
// The test run: which photo, the seconds that run, and how it ended.
(() => {
  const at = (id) => document.getElementById(id);
  const panel = at("try");
  if (!panel) return;
  const file = at("try-file");
  const button = at("try-run");
  const words = panel.dataset;
  const MB = 1024 * 1024;
  let photo = null; // none: the sample
  let clock = null;

  const complain = (text) => {
    at("try-wrong").textContent = text || "";
    at("try-wrong").hidden = !text;
  };
  const field = (name) => button.form?.elements.namedItem(name);

  const choose = (chosen) => {
    if (chosen && !/^image\/(jpeg|png|webp)$/.test(chosen.type)) return complain(words.type);
    if (chosen && chosen.size > (Number(field("size_limit_mb")?.value) || 20) * MB)
      return complain(words.large);
    complain();
    photo = chosen || null;
    const shown = at("try-shown");
    // Pictures of earlier runs still show theirs: freed with the page.
    shown.src = photo ? URL.createObjectURL(photo) : shown.dataset.sample;
    at("try-name").textContent = photo ? photo.name : at("try-name").dataset.sample;
    at("try-drop-it").hidden = !photo;
    at("try-status").value = photo ? "present" : "removed";
    return undefined;
  };
  file.addEventListener("change", () => {
    if (file.files[0]) choose(file.files[0]);
    file.value = ""; // the same file may be chosen again
  });
  at("try-drop-it").addEventListener("click", () => {
    choose(null);
    file.focus();
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    at("try-drop").addEventListener(kind, (event) => {
      event.preventDefault();
      at("try-drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
    });

  const run = () => {
    const wait = Number(field("sync_response_seconds")?.value) || Number(words.wait);
    const started = performance.now();
    const tick = () => {
      const passed = (performance.now() - started) / 1000;
      at("try-s").textContent = Math.floor(passed);
      at("try-bar").value = Math.min((100 * passed) / wait, 100);
      at("try-late").hidden = passed < wait;
    };
    at("try-of").textContent = wait;
    tick();
    clock = setInterval(tick, 250);
  };
  const running = (isIt) => {
    at("try-running").hidden = !isIt;
    clearInterval(clock);
    for (const name of ["aria-busy", "aria-disabled"])
      if (isIt) button.setAttribute(name, "true");
      else button.removeAttribute(name);
    if (isIt) run();
  };
  const say = (text) => {
    at("try-said").textContent = text;
  };

  const onRun = (kind, then) =>
    document.addEventListener(kind, ({ detail }) => {
      if ((detail.requestConfig?.elt || detail.elt) === button) then(detail);
    });
  onRun("htmx:configRequest", (detail) => {
    if (photo) detail.formData.set("test_photo", photo);
  });
  onRun("htmx:beforeSend", () => {
    complain();
    at("tried").replaceChildren();
    say(words.runs);
    running(true);
  });
  onRun("htmx:afterRequest", (detail) => {
    running(false);
    const { status, responseText } = detail.xhr;
    say("");
    if (detail.successful || status === 401) return;
    let told = status ? words.broken : words.gone;
    try {
      told = JSON.parse(responseText).details || told;
    } catch { /* no words of ours */ }
    complain(told);
  });
  onRun("htmx:afterSwap", () => {
    const outcome = at("try-outcome");
    const before = outcome.querySelector("[data-before]");
    if (before) before.src = at("try-shown").src;
    say(outcome.querySelector("[data-said]").textContent);
    outcome.scrollIntoView({ block: "nearest" });
  });
  panel.addEventListener("click", (event) => {
    const link = event.target.closest("[data-field]");
    if (!link) return;
    event.preventDefault();
    const wrong = field(link.dataset.field);
    (wrong?.[0] || wrong)?.focus();
  });
})();
