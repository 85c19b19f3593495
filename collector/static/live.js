// Renews the panel whenever the room has news, and says so when there is no connection.
"use strict";

const panel = document.getElementById("panel");
const lost = document.getElementById("lost");
const STALE_CHECK_MS = 10000; // a device that falls silent sends no event

function localTimes() {
  for (const time of panel.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  }
}

async function renew() {
  try {
    const answer = await fetch(panel.dataset.panel);
    if (!answer.ok) throw new Error(answer.statusText);
    panel.innerHTML = await answer.text();
    localTimes();
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}

localTimes();
const feed = new EventSource(panel.dataset.live);
feed.addEventListener("mood", renew);
feed.addEventListener("status", renew);
feed.addEventListener("error", () => { lost.hidden = false; });
feed.addEventListener("open", () => { lost.hidden = true; });
setInterval(renew, STALE_CHECK_MS);
