// A new picture twice a second, and what the faces' sizes say.
"use strict";

const EVERY_MS = 500;
const picture = document.getElementById("picture");
const report = document.getElementById("report");

async function renew() {
  try {
    const [shot, text] = await Promise.all([fetch("/picture.jpg"), fetch("/report")]);
    if (shot.ok) {
      URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(await shot.blob());
    }
    if (text.ok) report.innerHTML = await text.text();
  } catch {
    picture.hidden = true;
    report.textContent = "The camera is closed.";
    return;
  }
  setTimeout(renew, EVERY_MS);
}

renew();
