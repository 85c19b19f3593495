// Renews the panel every second, and says so when the device does not answer; the keypad's keys.
"use strict";

const panel = document.getElementById("panel");
const lost = document.getElementById("lost");
const EVERY_MS = 1000;

async function renew() {
  try {
    const answer = await fetch(panel.dataset.panel, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    // A finger on the button must not lose it.
    if (text !== renew.last && !panel.querySelector("button:active")) {
      panel.innerHTML = text;
      renew.last = text;
    }
    lost.hidden = true;
  } catch {
    lost.hidden = false;
    panel.hidden = true;
    return;
  }
  panel.hidden = false;
}

if (panel) setInterval(renew, EVERY_MS);

// A language that somebody chose, or a keypad that somebody left, goes back to the school's page.
const IDLE_MS = 60_000;
let idle = 0;

async function home() {
  try {
    const answer = await fetch("/panel", { cache: "no-store" });
    if (answer.ok) location.replace("/");
  } catch {
    rest(); // the device is away: a page that says so is better than the browser's
  }
}

function rest() {
  clearTimeout(idle);
  idle = setTimeout(home, IDLE_MS);
}

if (location.search || !panel) {
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, rest);
  rest();
}

const pin = document.getElementById("pin");
for (const key of document.querySelectorAll("[data-digit]")) {
  key.addEventListener("click", () => { pin.value += key.dataset.digit; });
}
for (const key of document.querySelectorAll("[data-delete]")) {
  key.addEventListener("click", () => { pin.value = pin.value.slice(0, -1); });
}
