// Shows each new panel that the collector sends, and says so when there is no connection.
"use strict";

const panel = document.getElementById("panel");
const lost = document.getElementById("lost");
const feed = new EventSource(panel.dataset.live);

feed.addEventListener("panel", (event) => {
  panel.innerHTML = event.data;
  lost.hidden = true;
});
feed.addEventListener("error", () => { lost.hidden = false; });
feed.addEventListener("open", () => { lost.hidden = true; });
