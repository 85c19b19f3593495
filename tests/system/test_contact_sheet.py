"""Every page in light and dark, on a phone, a desk and a projector: one picture to look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect

from edge.protocol.messages import Status
from tests.collector.school import OWN, School
from tests.conftest import BOOT, ROOT, mood
from tests.free import wait
from tests.room_device import CALM, LIVELY, PlayedDevice
from tests.system.browser import context, sign_in

pytestmark = pytest.mark.once

Picture = NDArray[Any]
Scheme = Literal["light", "dark"]

SHEET = ROOT / "build" / "contact-sheet"
WIDTHS = {390: 844, 1440: 900, 1920: 1080}
SCALE = {390: 200, 1440: 420, 1920: 480}
"""The width of a picture on the sheet, in pixels."""
TALLEST = 2.2
"""Times its width; what is longer is cut off there."""

PAGES = {
    "sign-in": "/sign-in",
    "rooms": "/",
    "live": "/rooms/school/r101",
    "wall": "/rooms/school/r101/wall",
    "faces": "/rooms/school/r103",
    "paused": "/rooms/school/r104",
    "offline": "/rooms/school/r105",
    "lessons": "/lessons",
    "search": "/lessons?text=optics",
    "report": "/lessons/{lesson}",
    "faces report": "/lessons/{counted}",
    "compare": "/compare?lesson={lesson}&lesson={running}",
    "check-in": "/check/{code}",
    "check-in code": "/check",
    "account": "/account",
    "accounts": "/accounts",
    "devices": "/devices",
    "audit": "/audit",
    "retention": "/retention",
    "design": "/design",
    "not found": "/rooms/school/nowhere",
}

OUTSIDE = """() => [...document.querySelectorAll("main *, main")].filter(one => {
  const box = one.getBoundingClientRect();
  const clips = one.closest(".scroll, pre, .hidden, h1.room-name, svg");
  return box.width > 1 && !clips && box.right > window.innerWidth + 1;
}).map(one => `${one.tagName} ${one.className} at ${one.getBoundingClientRect().right}`)
  .concat(document.documentElement.scrollWidth > window.innerWidth ? ["scrolls sideways"] : [])"""
"""What lies outside the screen, also where it is cut off."""


@pytest.fixture(scope="module")
def lived_in(school: School, device: PlayedDevice) -> Iterator[dict[str, object]]:
    """Two lessons with windows, one that goes on, and rooms in every state."""
    now = time.time()
    others = [PlayedDevice(device.port, room) for room in ("r103", "r104", "r105")]
    counting, idle, silent = others
    for back in range(100, -1, -1):
        faces = 22 if back > 60 else 25 if back > 20 else 24
        counting.window(None, ago=15 * back, withheld="headcount_only", faces=faces)
        idle.window(CALM, ago=15 * back + 300)
        silent.window(CALM, ago=15 * back + 720)
    idle.window(None, withheld="paused", frames=0)
    wait(lambda: len(school.service.rooms.windows("school", "r105")) > 100)
    school.service.rooms.update_status(
        Status.model_validate(
            {
                "schema": "roommood.status/1",
                "site": "school",
                "room": "r105",
                "device": "r105",
                "boot": BOOT,
                "state": "offline",
                "at": datetime.now(timezone.utc),
                "health": None,
            }
        )
    )
    first = school.repository.begin(*OWN, "Optics", "button", teacher="tess", start=now - 90_000)
    assert first is not None
    school.store.add(
        [
            mood(
                seq=n,
                start=datetime.fromtimestamp(first.start + 15 * n, timezone.utc),
                faces=22,
                counts=LIVELY if 60 < n < 110 else CALM,
                boot="11111111-0d0c-4f0e-9d3a-0d6a2f3b4c5d",
            )
            for n in range(180)
        ]
    )
    school.repository.mark(first, "group work", first.start + 900)
    school.repository.end(first, first.start + 2700)
    again = school.repository.begin(*OWN, "Optics", "button", teacher="tess", start=now - 1700)
    assert again is not None
    school.repository.mark(again, "explanation", now - 1500)
    school.repository.mark(again, "experiment", now - 320)
    latin = school.repository.begin("school", "r103", "Latin", "button", start=now - 1500)
    assert latin is not None
    running = school.repository.lesson(again.id)
    yield {"lesson": first.id, "running": again.id, "counted": latin.id, "code": running.code}
    for one in others:
        one.stop()


def test_every_page_on_one_sheet(
    chromium: Browser, school: School, lived_in: dict[str, object]
) -> None:
    """Each page is opened once, and then seen on every screen and in both schemes."""
    SHEET.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    sheets: dict[Scheme, list[Picture]] = {"light": [], "dark": []}
    browsing = context(chromium, locale="en-GB")
    page = browsing.new_page()
    page.on("pageerror", _into(wrong))
    sign_in(page, school.service.url, "ann")
    expect(page.locator("h1")).to_have_text("Rooms")
    for name, path in PAGES.items():
        answer = page.goto(school.service.url + path.format(**lived_in))
        status = answer.status if answer else 0
        wrong += [f"{name}: {status}"] if (status == 404) != (name == "not found") else []
        wrong += [f"{name}: {status}"] if status >= 500 else []
        text = page.locator("body").inner_text()
        wrong += [f"{name}: {word}" for word in ("<built-in", "None", "{}") if word in text]
        for scheme, rows in sheets.items():
            page.emulate_media(color_scheme=scheme)
            tiles = []
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                wrong += [f"{name} at {width}: {one}" for one in page.evaluate(OUTSIDE)]
                file = SHEET / f"{name.replace(' ', '-')}-{scheme}-{width}.png"
                page.screenshot(path=file, full_page=name != "wall")
                tiles.append(_scale(file, SCALE[width]))
            rows.append(_side_by_side(tiles))
    browsing.close()
    for scheme, rows in sheets.items():
        cv2.imwrite(str(ROOT / "build" / f"contact-sheet-{scheme}.png"), np.vstack(rows))
    assert wrong == []


def _into(wrong: list[str]) -> Callable[[Any], None]:
    return lambda error: wrong.append(str(error))


def _scale(file: Path, width: int) -> Picture:
    picture = cv2.imread(str(file))
    assert picture is not None
    height = round(picture.shape[0] * width / picture.shape[1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small[: round(TALLEST * width)])


def _side_by_side(pictures: list[Picture]) -> Picture:
    tallest = max(picture.shape[0] for picture in pictures)
    tiles = [
        cv2.copyMakeBorder(
            picture, 6, 6 + tallest - picture.shape[0], 6, 6, cv2.BORDER_CONSTANT, value=(128,) * 3
        )
        for picture in pictures
    ]
    return np.hstack(tiles)
