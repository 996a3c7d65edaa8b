"use strict";
// The page works without this file; with it, a password can be looked at, and a press is seen.
(() => {
  const eye = document.getElementById("eye");
  const password = document.getElementById("id_password");
  eye.hidden = false;
  eye.addEventListener("click", () => {
    const isShown = password.type === "password";
    password.type = isShown ? "text" : "password";
    eye.setAttribute("aria-pressed", isShown);
    password.focus();
  });
  document.getElementById("login-form").addEventListener("submit", () => {
    password.type = "password"; // or browsers would remember it as a plain text
    document.getElementById("enter").setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    document.getElementById("enter").removeAttribute("aria-busy"); // back by the browser's button
  });
})();
