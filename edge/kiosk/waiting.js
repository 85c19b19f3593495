// Shows the school's language, asks every second whether the agent answers, and then goes to its page.
"use strict";

const wishes = new URLSearchParams(location.search);
const page = `http://127.0.0.1:${Number(wishes.get("port")) || 8643}/`;

const texts = [...document.querySelectorAll("p[lang]")];
const own = texts.find((text) => text.lang === wishes.get("lang")) ?? texts[0];
for (const text of texts) text.hidden = text !== own;
document.documentElement.lang = own.lang;

async function look() {
  try {
    await fetch(page, { mode: "no-cors", cache: "no-store" });
    location.replace(page);
  } catch {
    setTimeout(look, 1000); // not yet
  }
}

look();
