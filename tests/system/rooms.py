"""A collector with people, a device that a test plays, and a browser: for tests of the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.collector.school import PASSWORD, School
from tests.conftest import Mosquitto, mood
from tests.free import wait
from tests.system.test_browser import chromium

__all__ = ["chromium"]

CALM = {"happy": 4, "surprise": 3, "neutral": 15, "uncertain": 0}
LIVELY = {"happy": 4, "surprise": 14, "neutral": 4, "uncertain": 0}


class Device:
    """Plays the room's device: what it publishes, and what it is told."""

    def __init__(self, port: int, room: str = "r101") -> None:
        self.commands: list[str] = []
        self._room = room
        self._seq = 1000
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _c, _u, m: self.commands.append(
            json.loads(m.payload)["command"]
        )
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"roommood/v1/school/{room}/command", qos=1)
        self._client.loop_start()

    def window(self, counts: dict[str, int] | None, ago: float = 0, **changed: Any) -> None:
        self._seq += 1
        start = datetime.now(timezone.utc) - timedelta(seconds=15 + ago)
        told = mood(
            **{
                "seq": self._seq,
                "start": start,
                "room": self._room,
                "device": self._room,
                "faces": None if counts is None else sum(counts.values()),
                "counts": counts,
            }
            | changed
        )
        topic = f"roommood/v1/school/{self._room}/mood"
        self._client.publish(topic, told.encode(), qos=1).wait_for_publish(5)

    def half_an_hour(self) -> None:
        """A calm room that has become a lively one in the last five minutes."""
        for back in range(120, 0, -1):
            self.window(LIVELY if back <= 20 else CALM, ago=15 * back)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path_factory.mktemp("broker"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[School]:
    attentive = {"timezone": "Europe/Berlin", "attentive": ["neutral", "surprise"]}
    folder: Path = tmp_path_factory.mktemp("school")
    with School(folder, broker.port, school=attentive) as made:
        made.staff()
        wait(lambda: made.service._ingest.connected)
        yield made


@pytest.fixture(scope="module")
def device(school: School, broker: Mosquitto) -> Iterator[Device]:
    made = Device(broker.port)
    made.half_an_hour()
    made.window(LIVELY, 0)
    other = Device(broker.port, "r102")
    other.window(CALM)
    wait(lambda: len(school.service.rooms.all()) == 2)
    yield made
    made.stop()
    other.stop()


def context(
    browser: Browser, dark: bool = False, phone: bool = False, **more: Any
) -> BrowserContext:
    made = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": 360, "height": 740} if phone else {"width": 1280, "height": 900},
        **more,
    )
    made.set_default_timeout(30_000)
    return made


def sign_in(page: Page, school: School, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{school.service.url}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def teacher(chromium: Browser, school: School, device: Device) -> Iterator[Page]:
    made = context(chromium)
    page = made.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sign_in(page, school, "tess")
    expect(page.locator("h1")).to_have_text("Rooms")
    yield page
    made.close()
    assert [text for text in wrong if "403" not in text] == []
