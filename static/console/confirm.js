"use strict";
// One dialog for every question. Whatever submits a form or is followed, and has data-confirm, asks
// first; data-words says what follows, data-yes is the button. The form then carries "confirmed".
(() => {
  const dialog = document.getElementById("ask");
  const yes = document.getElementById("ask-yes");
  let agreed = null; // what has just been said yes to
  let goOn = null;

  const ask = (asker, then) => {
    document.getElementById("ask-title").textContent = asker.dataset.confirm;
    document.getElementById("ask-words").textContent = asker.dataset.words || "";
    yes.textContent = asker.dataset.yes || yes.dataset.text;
    goOn = () => {
      agreed = asker;
      then();
      agreed = null;
    };
    dialog.returnValue = "";
    dialog.showModal();
  };

  const stop = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  dialog.addEventListener("close", () => {
    const then = goOn;
    goOn = null;
    if (dialog.returnValue === "yes" && then) then();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(""); // beside it
  });

  // Capturing, so that htmx and others hear of it only after a yes.
  document.addEventListener(
    "submit",
    (event) => {
      const asker = [event.submitter, event.target].find((one) => one?.dataset.confirm);
      if (!asker || asker === agreed) return;
      stop(event);
      ask(asker, () => event.target.requestSubmit(event.submitter));
    },
    true,
  );
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a[data-confirm]");
      if (!link || link === agreed) return;
      stop(event);
      ask(link, () => link.click());
    },
    true,
  );
  document.addEventListener("formdata", (event) => {
    if (agreed) event.formData.set("confirmed", "1");
  });
})();
