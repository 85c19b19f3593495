// Reads a timeline out: what was where one points, touches, or moves the slider with the keyboard.
"use strict";

function chartOf(reader) {
  const id = reader.dataset.chart;
  const shown = [id, `${id}-lesson`].map((one) => document.getElementById(one));
  return shown.find((svg) => svg && !svg.closest("[hidden]"));
}

function read(reader, at) {
  const svg = chartOf(reader);
  if (!svg) return;
  const texts = JSON.parse(svg.dataset.readings || "[]");
  if (!texts.length) return;
  reader.max = texts.length - 1;
  const slot = Math.max(0, Math.min(texts.length - 1, at));
  reader.value = slot;
  const text = texts[slot] || "–";
  reader.setAttribute("aria-valuetext", text);
  reader.parentElement.querySelector(".reading").textContent = text;
  let cursor = svg.querySelector(".cursor");
  if (!cursor) {
    cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", "14%");
    cursor.setAttribute("y2", "88%");
    svg.append(cursor);
  }
  const x = `${4 + 96 * (slot + 0.5) / texts.length}%`;
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
}

function pointed(event) {
  const svg = event.target.closest?.(".timeline");
  if (!svg) return;
  const reader = document.querySelector(`.reader[data-chart="${svg.id.replace("-lesson", "")}"]`);
  if (!reader) return;
  const box = svg.getBoundingClientRect();
  const at = ((event.clientX - box.left) / box.width - 0.04) / 0.96;
  read(reader, Math.floor(at * JSON.parse(svg.dataset.readings).length));
}

document.addEventListener("pointermove", pointed);
document.addEventListener("pointerdown", pointed);
document.addEventListener("input", (event) => {
  if (event.target.matches(".reader")) read(event.target, Number(event.target.value));
});
