"""What tests of the whole system share: a browser, a broker, a collector with people, a site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.collector.school import School
from tests.conftest import Mosquitto
from tests.films import film
from tests.fleet import Site
from tests.free import wait
from tests.room_device import CALM, LIVELY, PlayedDevice
from tests.system.browser import context, running_browser, sign_in


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def lesson_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the simulated classroom, which a camera opens and closes."""
    return film(tmp_path_factory.mktemp("film") / "room.avi")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One for a whole file, which none of its tests stops."""
    new_broker = Mosquitto(tmp_path_factory.mktemp("broker"))
    new_broker.start()
    yield new_broker
    new_broker.stop()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[School]:
    attentive = {"timezone": "Europe/Berlin", "attentive": ["neutral", "surprise"]}
    folder: Path = tmp_path_factory.mktemp("school")
    with School(folder, broker.port, school=attentive) as server:
        server.staff()
        yield server


@pytest.fixture(scope="module")
def device(school: School, broker: Mosquitto) -> Iterator[PlayedDevice]:
    """Of the room r101, after half an hour; r102 has told one window."""
    with PlayedDevice(broker.port) as one_device, PlayedDevice(broker.port, "r102") as other:
        one_device.half_an_hour()
        one_device.window(LIVELY, 0)
        other.window(CALM)
        wait(lambda: len(school.service.rooms.all()) == 2)
        yield one_device


@pytest.fixture
def teacher(chromium: Browser, school: School, device: PlayedDevice) -> Iterator[Page]:
    """tess, signed in, on a page that must have no errors."""
    browsing = context(chromium)
    page = browsing.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sign_in(page, school.service.url, "tess")
    expect(page.locator("h1")).to_have_text("Rooms")
    yield page
    browsing.close()
    assert [text for text in wrong if "403" not in text] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as new_site:
        yield new_site
