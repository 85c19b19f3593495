// Asks for the page again now and then, and shows what has changed in it, where nobody is at work.
"use strict";

async function renew() {
  const shown = document.getElementById("renewed");
  if (!shown) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("renewed");
    if (!fresh || fresh.innerHTML === shown.innerHTML || shown.contains(document.activeElement)) return;
    shown.replaceWith(fresh);
  } catch {
    // The collector is away: what is shown stays, and the next try may do better.
  }
}

const seconds = document.getElementById("renewed")?.dataset.seconds;
if (seconds) setInterval(renew, 1000 * seconds);
