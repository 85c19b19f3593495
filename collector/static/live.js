// Shows each new panel that the collector sends, keeps the bar of actions true, and runs the wall.
"use strict";

const panel = document.getElementById("panel");
const lost = document.getElementById("lost");
const announce = document.getElementById("announce");
const feed = new EventSource(panel.dataset.live);
let shown = { words: "", at: performance.now() };
let actions = panel.firstElementChild.dataset.actions; // what the bar of actions was drawn for

function news() {
  const root = panel.firstElementChild;
  const words = ["state", "change", "sentence"].map((id) => document.getElementById(id)?.innerText).filter(Boolean).join(". ");
  if (shown.words && words !== shown.words) announce.textContent = words; // once, and only what is new
  if (root.dataset.actions !== actions) renewActions();
  shown = { words, at: performance.now() };
  spans();
  age();
}

// Half an hour, or the lesson where it has gone on for longer.
const whole = document.getElementById("span");
function spans() {
  const lesson = panel.querySelector("[data-span=lesson]");
  whole.hidden = !lesson;
  const on = Boolean(lesson) && whole.getAttribute("aria-pressed") === "true";
  for (const one of panel.querySelectorAll("[data-span]")) one.hidden = (one.dataset.span === "lesson") !== on;
}
whole.addEventListener("click", () => {
  whole.setAttribute("aria-pressed", whole.getAttribute("aria-pressed") !== "true");
  spans();
});

// What is old fades: since the newest reading, by the collector's clock.
function age() {
  const root = panel.firstElementChild;
  const seconds = root.dataset.now - root.dataset.until + (performance.now() - shown.at) / 1000;
  root.dataset.stale = Number(root.dataset.until) && seconds > 60 ? (seconds > 180 ? 2 : 1) : 0;
}

let renewing = false;

async function renewActions() {
  if (renewing) return;
  renewing = true;
  await drawActions().finally(() => { renewing = false; });
}

async function drawActions() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("actions");
  const here = document.getElementById("actions");
  const typed = [...here.querySelectorAll("input:not([type=hidden])")].some((field) => field.value);
  const pressed = here.querySelector(":active"); // what is pressed stays until it is let go
  if (!fresh || typed || pressed) return; // with the next reading it is tried again
  const focus = document.activeElement?.id;
  here.replaceWith(fresh);
  actions = page.querySelector(".live-panel").dataset.actions;
  if (focus) document.getElementById(focus)?.focus();
}

feed.addEventListener("panel", (event) => {
  const reader = document.getElementById("reader");
  const reading = reader && panel.querySelector(".cursor") ? Number(reader.value) : null;
  panel.innerHTML = event.data;
  lost.hidden = true;
  news();
  if (reading !== null) read(reader, reading);
});
feed.addEventListener("error", () => { lost.hidden = false; });
feed.addEventListener("open", () => { lost.hidden = true; });
setInterval(age, 5000);
news();

// The wall: the whole screen, awake, until Escape.
const root = document.documentElement;

async function wall(on) {
  root.classList.toggle("wall", on);
  try {
    if (on) {
      await root.requestFullscreen?.();
      await navigator.wakeLock?.request("screen");
    } else if (document.fullscreenElement) {
      await document.exitFullscreen();
    }
  } catch {
    // A browser that gives no whole screen, or stays no longer awake, still shows the wall.
  }
}

document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && !location.pathname.endsWith("/wall")) root.classList.remove("wall");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && root.classList.contains("wall")) navigator.wakeLock?.request("screen").catch(() => {});
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#to-wall")) {
    event.preventDefault();
    wall(true);
  }
});
const keys = document.getElementById("keys");
keys.checked = localStorage.getItem("keys") !== "off";
keys.addEventListener("change", () => {
  localStorage.setItem("keys", keys.checked ? "on" : "off");
  hints();
});
function hints() {
  if (keys.checked) root.dataset.keys = "on";
  else delete root.dataset.keys;
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.classList.contains("wall")) wall(false);
  if (!keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, textarea, select")) return;
  if (event.key === "f" || event.key === "F") wall(!root.classList.contains("wall"));
  else document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});
hints(); // what a key does is shown from here on, not before it does it
if (root.classList.contains("wall")) navigator.wakeLock?.request("screen").catch(() => {});
