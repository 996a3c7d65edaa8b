"use strict";
// Something is wrong: the title and the icon of every page of the console tell it, also in a tab
// that nobody looks at, and, where it was asked for, a sound and a notification of the browser.
(() => {
  const alarm = document.getElementById("alarm");
  if (!alarm) return;
  const icon = document.querySelector("link[rel=icon]");
  const calm = { icon: icon.href, title: document.title };
  const isWanted = (what) => localStorage.getItem(`alarm.${what}`) === "1";

  // Two tones by hand: the content policy lets no sound file in.
  const beep = async () => {
    const audio = new AudioContext();
    if (audio.state === "suspended") await audio.resume();
    for (const [at, pitch] of [
      [0, 880],
      [0.25, 660],
    ]) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      volume.gain.value = 0.2;
      tone.frequency.value = pitch;
      tone.connect(volume).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.2);
    }
    setTimeout(() => audio.close(), 1000);
  };
  const notify = (words) => {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(calm.title, { body: words, tag: "alarm", renotify: true });
    shown.addEventListener("click", () => window.focus());
  };

  // Of several pages that are open, and of the same trouble, one makes a noise once.
  const isNews = (names) => {
    const known = (localStorage.getItem("alarm.names") || "").split(" ");
    localStorage.setItem("alarm.names", names);
    return names.split(" ").some((name) => name && !known.includes(name));
  };
  const tell = () => {
    const bar = document.getElementById("alarm-bar");
    if (!bar) return;
    const { count, names, words } = bar.dataset;
    document.title = count === "0" ? calm.title : `(${count}!) ${calm.title}`;
    icon.href = count === "0" ? calm.icon : alarm.dataset.icon;
    if (!isNews(names)) return;
    if (isWanted("sound")) beep();
    if (isWanted("notification")) notify(words);
  };
  new MutationObserver(tell).observe(alarm, { childList: true });

  const bind = (what, prepare) => {
    const box = document.getElementById(`alarm-${what}`);
    if (!box) return;
    box.checked = isWanted(what);
    box.addEventListener("change", async () => {
      if (box.checked) box.checked = await prepare();
      localStorage.setItem(`alarm.${what}`, box.checked ? "1" : "0");
    });
  };
  bind("sound", async () => {
    await beep();
    return true;
  });
  const help = document.getElementById("alarm-notification-help");
  bind("notification", async () => {
    const answer = await Notification.requestPermission();
    help.textContent = answer === "granted" ? "" : help.dataset.denied;
    return answer === "granted";
  });
  if (help && !("Notification" in window && window.isSecureContext)) {
    help.textContent = help.dataset.absent;
    document.getElementById("alarm-notification").disabled = true;
  }
})();
