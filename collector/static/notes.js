// Saves a lesson's title and notes while they are written.
"use strict";

const form = document.getElementById("notes-form");
const saved = document.getElementById("saved");
let waiting = 0;

async function save() {
  if (!form.reportValidity()) return;
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
  const text = answer?.ok ? form.dataset.saved : form.dataset.failed;
  saved.textContent = text.replace("{}", new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }));
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(save, 800);
});
