"""The kiosk in a real Chromium of 800 by 480, beside a real agent and broker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, Page, expect

from edge.kiosk.view import LANGUAGES, strings
from edge.permission.pin import hash_pin
from tests.conftest import ROOT, Mosquitto
from tests.free import free_port, wait
from tests.system.browser import SHOTS
from tests.system.process import Roommood

pytestmark = pytest.mark.once

TALL_PX = 64
"""11.5 mm on a seven-inch panel, 86 mm high: 13 minutes of arc from three metres."""

CAP_HEIGHT = 0.7
"""Of a capital letter or a digit, as a share of the font's size."""


Start = Callable[..., tuple[Roommood, str]]


@pytest.fixture
def start(tmp_path: Path, broker: Mosquitto) -> Iterator[Start]:
    with agents(tmp_path, broker) as begin:
        yield begin


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[str]:
    """The screen of an agent with no settings of its own, which no test stops."""
    with agents(tmp_path_factory.mktemp("usual"), broker) as begin:
        yield begin(room="r100")[1]


@contextmanager
def agents(folder: Path, broker: Mosquitto) -> Iterator[Start]:
    """Starts agents with a screen; all end with the block."""
    running: list[Roommood] = []

    def begin(**changes: Any) -> tuple[Roommood, str]:
        port = changes.get("kiosk", {}).get("port") or free_port()
        settings = {
            "site": "school",
            "room": "r101",
            "camera": "sim:seats=24,seed=2",
            "window_seconds": 2,
            "frames_per_second": 2,
            "broker": {"port": broker.port},
            "kiosk": {"port": port, "responsible": "Mx Example, head teacher, room 12"},
            "state": "state",
        }
        kiosk = settings["kiosk"] | changes.pop("kiosk", {})
        path = folder / "agent.yaml"
        path.write_text(yaml.safe_dump(settings | changes | {"kiosk": kiosk}))
        agent = Roommood("agent", "run", "--config", path)
        running.append(agent)
        url = f"http://127.0.0.1:{port}"
        wait(lambda: answers(url))
        return agent, url

    yield begin
    for agent in running:
        agent.__exit__(None, None, None)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 800, "height": 480})
    new_page = context.new_page()
    new_page.set_default_timeout(30_000)
    wrong: list[str] = []
    new_page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    new_page.on("pageerror", lambda error: wrong.append(str(error)))
    yield new_page
    context.close()
    assert [text for text in wrong if "ERR_CONNECTION" not in text and "403" not in text] == []


FITS = """() => {
  const all = [...document.querySelectorAll('h1, p, li, button, a')]
    .filter(e => e.offsetParent !== null && !e.hidden);
  const boxes = all.map(e => e.getBoundingClientRect());
  const inside = boxes.every(
    b => b.left >= 0 && b.top >= 0 && b.right <= 800 && b.bottom <= 480);
  const whole = all.every(
    e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display === 'inline');
  const apart = boxes.every((a, i) => boxes.every((b, j) => i >= j
    || all[i].contains(all[j]) || all[j].contains(all[i])
    || a.right <= b.left + 1 || b.right <= a.left + 1
    || a.bottom <= b.top + 1 || b.bottom <= a.top + 1));
  return inside && whole && apart;
}"""
"""Whether everything on the page is on the screen, and nothing lies over anything else."""


def fits(page: Page) -> bool:
    return bool(page.evaluate(FITS))


def test_switching_on_again_takes_the_pin(start: Start, page: Page) -> None:
    _, url = start(pin=hash_pin("2468"))
    page.goto(url)
    page.get_by_role("button", name="Turn the camera off").click()
    expect(page.locator("h1")).to_have_text("Camera off")
    page.get_by_role("button", name="Turn the camera on").click()
    for digit in "1111":
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong PIN.")
    page.screenshot(path=SHOTS / "kiosk-pin.png")
    assert fits(page)
    for digit in "24689":
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="OK").click()
    expect(page.locator("h1")).to_have_text("Camera on")


def test_a_schedule_without_lessons_keeps_it_closed(start: Start, page: Page) -> None:
    never = {"timezone": "UTC", "lessons": [{"days": ["mon"], "start": "00:00", "end": "00:01"}]}
    agent, url = start(schedule=never | {"holidays": ["2000-01-01/2100-01-01"]})
    page.goto(url)
    expect(page.locator("h1")).to_have_text("Camera off")
    expect(page.locator("button")).to_be_disabled()
    agent.wait_for_line("the camera is closed")


def test_a_page_that_lost_its_device_says_so(start: Start, page: Page) -> None:
    agent, url = start()
    page.goto(url)
    expect(page.locator("h1")).to_have_text("Camera on")
    agent.process.kill()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the device", timeout=30_000)
    expect(page.locator("h1")).not_to_be_visible()


SMALL = """() => [...document.querySelectorAll('a, button')].filter(e => e.offsetParent !== null)
  .map(e => e.getBoundingClientRect()).filter(b => b.height < 44 || b.width < 44).length"""


def test_a_finger_can_meet_every_link_and_no_pointer_shows(start: Start, page: Page) -> None:
    _, url = start(pin=hash_pin("2468"))
    for path in ("/", "/pin"):
        page.goto(f"{url}{path}")
        assert page.evaluate(SMALL) == 0, path
        cursor = "[...document.querySelectorAll('*')].map(e => getComputedStyle(e).cursor)"
        assert set(page.evaluate(cursor)) == {"none"}


def test_a_language_that_was_chosen_goes_back_to_the_schools(start: Start, page: Page) -> None:
    _, url = start(kiosk={"language": "de"}, pin=hash_pin("2468"))
    page.clock.install()
    page.goto(url)
    page.get_by_role("link", name="Français").click()
    expect(page.locator("h1")).to_have_text(strings("fr")["on"])
    page.clock.fast_forward(50_000)
    page.locator("h1").click()  # somebody is still there
    page.clock.fast_forward(50_000)
    expect(page.locator("h1")).to_have_text(strings("fr")["on"])
    page.clock.fast_forward(61_000)
    expect(page.locator("h1")).to_have_text(strings("de")["on"])
    page.goto(f"{url}/pin?lang=fr")
    page.clock.fast_forward(61_000)
    expect(page.locator("h1")).to_have_text(strings("de")["on"])


def on_and_off(page: Page, language: str) -> None:
    """On a page of an agent whose camera is on."""
    words = strings(language)
    heading = page.locator("h1")
    expect(heading).to_have_text(words["on"], timeout=60_000)
    expect(page.locator(".faces strong")).to_have_text(re.compile(r"\d+"))
    expect(page.locator("main")).to_contain_text("Mx Example")
    page.screenshot(path=SHOTS / f"kiosk-{language}.png")
    assert fits(page)
    for read in (".words", ".faces strong"):
        size = page.locator(read).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert size * CAP_HEIGHT >= TALL_PX
    page.get_by_role("button", name=words["pause"]).click()
    expect(heading).to_have_text(words["off"])
    expect(page.locator(".sentence")).to_have_text(words["paused"]["kiosk"])
    expect(page.locator(".faces")).to_have_count(0)
    page.screenshot(path=SHOTS / f"kiosk-off-{language}.png")
    assert fits(page)
    page.get_by_role("button", name=words["resume"]).click()
    expect(heading).to_have_text(words["on"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_waiting_on_and_off_in_every_language(
    start: Start, page: Page, tmp_path: Path, language: str
) -> None:
    """From the address that the kiosk's own unit opens, with the settings in either form: a page
    that waits in the school's language until the agent answers."""
    words = f"kiosk: {{port: PORT, language: {language}}}"
    if language in ("de", "fr"):
        words = f"kiosk:\n  language: '{language}'\n  port: PORT\nlog_level: info"
    port = free_port()
    address = kiosk_address(tmp_path, f"camera: usb:0\n{words.replace('PORT', str(port))}\n")
    assert f"port={port}" in address
    page.goto(address)
    expect(page.locator("p:visible")).to_have_count(1)
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("p:visible").get_attribute("lang") == language
    page.screenshot(path=SHOTS / f"kiosk-waiting-{language}.png")
    assert fits(page)
    start(kiosk={"language": language, "port": port})
    on_and_off(page, language)


def kiosk_address(folder: Path, settings: str) -> str:
    """What the unit's script opens, as installed: with a cage that only says what it was to run."""
    package = folder / "current" / "lib" / "python3.11" / "site-packages" / "edge"
    package.parent.mkdir(parents=True)
    package.symlink_to(ROOT / "edge")
    libexec = folder / "current" / "libexec"
    libexec.mkdir()
    script = libexec / "kiosk-screen"
    shutil.copy(ROOT / "deploy" / "libexec" / "kiosk-screen", script)
    cage = folder / "cage"
    cage.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    cage.chmod(0o755)
    (folder / "kiosk.yaml").write_text(settings)
    path = f"{folder}:{os.environ['PATH']}"
    run = subprocess.run(
        [script, folder / "kiosk.yaml"],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
        check=True,
    )
    return run.stdout.splitlines()[-1]


# Last, so that the agent that none of these stops does not run beside the others.


def test_the_numbers_are_those_that_were_published(
    usual: str, page: Page, broker: Mosquitto
) -> None:
    moods: list[dict[str, Any]] = []
    listener = mqtt.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda _c, _u, message: moods.append(json.loads(message.payload))
    listener.connect("127.0.0.1", broker.port)
    listener.subscribe("roommood/v1/school/r100/mood", qos=1)
    listener.loop_start()
    try:
        page.goto(usual)
        wait(lambda: len(moods) > 0)
        for _ in range(3):
            page.wait_for_timeout(2500)
            words, texts = strings("en"), page.locator("li").all_inner_texts()
            labels = words["labels"] | {"other": words["other"]}
            numbers = {
                "\n".join(
                    sorted(
                        f"{n} {labels.get(name, name)}"
                        for name, n in (mood["counts"] or {}).items()
                        if n
                    )
                )
                for mood in moods[-3:]
            }
            assert "\n".join(sorted(texts)) in numbers
    finally:
        listener.disconnect()
        listener.loop_stop()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "kiosk.example"},
        {"Origin": "http://elsewhere.example"},
        {},  # no Origin at all: not a form of ours
        {"Content-Length": "5000"},
    ],
)
def test_other_pages_press_no_button(usual: str, page: Page, headers: dict[str, str]) -> None:
    request = urllib.request.Request(f"{usual}/pause", data=b"", headers=headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=30)
    assert refusal.value.code == 403
    page.goto(usual)
    expect(page.locator("h1")).to_have_text("Camera on")
