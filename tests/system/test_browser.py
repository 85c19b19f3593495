"""The pages in Chromium as a teacher has it, windows and all; screenshots are left under build/."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import CHROMIUM, SHOTS, context, running_browser
from tests.system.process import Roommood

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The whole of it; for all other files the part that draws (tests/system/browser.py)."""
    with running_browser(CHROMIUM) as browser:
        yield browser


@pytest.fixture(scope="module")
def demo() -> Iterator[Roommood]:
    with Roommood("demo", "--window", 2, "--port", 0, "--json") as running:
        running.mood()
        yield running


@pytest.fixture(scope="module")
def url(demo: Roommood) -> str:
    return demo.wait_for_line("the page: ").rpartition(" ")[2]


class Visit:
    """A page that remembers what went wrong on it and whom it asked."""

    def __init__(self, browser: Browser, dark: bool = False, phone: bool = False) -> None:
        self.context = context(browser, dark, phone)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.requests: set[str] = set()
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.requests.add(request.url))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_counts_move(chromium: Browser, url: str, dark: bool, phone: bool) -> None:
    visit = Visit(chromium, dark, phone)
    page = visit.page
    page.goto(url)
    expect(page.locator("#state")).to_have_text("live")
    number = "document.querySelector('.live-panel').dataset.seq"
    numbers = {page.evaluate(number)}
    for _ in range(3):
        page.wait_for_function(f"before => {number} !== before", arg=page.evaluate(number))
        numbers.add(page.evaluate(number))
    assert len(numbers) == 4
    rows = "#shares tr[data-share]"
    shares = page.locator(rows).evaluate_all("r => r.map(x => Number(x.dataset.share))")
    assert 90 <= sum(shares) <= 100
    assert int(page.locator("#faces").inner_text()) >= 5
    assert page.locator("#timeline path").count() >= 2
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    page.screenshot(
        path=SHOTS / f"room-{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}.png",
        full_page=True,
    )
    assert visit.wrong == []
    host = url.split("/enter", maxsplit=1)[0]
    assert all(address.startswith(host) for address in visit.requests)
    visit.context.close()


def test_the_list_of_rooms_leads_to_the_room(chromium: Browser, url: str) -> None:
    visit = Visit(chromium)
    visit.page.goto(url)
    visit.page.get_by_role("link", name="Rooms").click()
    visit.page.get_by_role("link", name="classroom").click()
    expect(visit.page.locator("h1")).to_contain_text("classroom")
    visit.page.get_by_role("link", name="API").click()
    expect(visit.page.locator("h1")).to_have_text("API")
    visit.page.screenshot(path=SHOTS / "api.png", full_page=True)
    assert visit.wrong == []
    visit.context.close()


def test_too_few_faces_are_said_in_words(chromium: Browser, data: Path) -> None:
    source = data / "rooms_video" / "classroom_720p_20s.mp4"
    with Roommood("demo", "--source", source, "--window", 2, "--port", 0, "--json") as few:
        few.mood()
        visit = Visit(chromium)
        visit.page.goto(few.wait_for_line("the page: ").rpartition(" ")[2])
        expect(visit.page.locator("#state")).to_have_text("hidden for privacy")
        expect(visit.page.locator("#sentence")).to_contain_text("Too few faces")
        assert visit.page.locator("#faces").count() == 0
        visit.page.screenshot(path=SHOTS / "withheld.png", full_page=True)
        few.interrupt()
        expect(visit.page.locator("#lost")).to_be_visible(timeout=30_000)
        visit.context.close()


def test_an_unknown_room_is_a_page_too(chromium: Browser, url: str) -> None:
    visit = Visit(chromium)
    visit.page.goto(url)
    answer = visit.page.goto(visit.page.url.replace("classroom", "attic"))
    assert answer is not None
    assert answer.status == 404
    expect(visit.page.locator("main")).to_contain_text("This page, room or lesson doesn't exist.")
    visit.context.close()


def test_nothing_but_the_page_is_served_without_scripts_from_elsewhere(url: str) -> None:
    host, _, port = url.split("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"GET /static/../service.py HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"404" in raw.recv(64)
