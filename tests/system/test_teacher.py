"""The collector's pages as people use them: a real Chromium, a real broker, a real provider."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.collector.school import OTHER, OWN, PASSWORD, School
from tests.conftest import Mosquitto, mood
from tests.free import free_port, wait
from tests.oidc import CANAILLE, CLIENT, SECRET
from tests.oidc import PASSWORD as THEIR_PASSWORD
from tests.oidc import School as Provider
from tests.system.test_browser import SHOTS, chromium  # noqa: F401  # a fixture

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
def teacher(chromium: Browser, school: School, device: Device) -> Iterator[Page]:  # noqa: F811  # the fixture
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


def test_a_wrong_password_is_said_and_nothing_more(chromium: Browser, school: School) -> None:  # noqa: F811  # the fixture
    made = context(chromium)
    page = made.new_page()
    page.goto(f"{school.service.url}/rooms/school/r101")
    expect(page).to_have_url(re.compile("/sign-in"))
    sign_in(page, school, "tess", "not the password")
    expect(page.locator("#wrong")).to_have_text("Name and password do not fit.")
    page.screenshot(path=SHOTS / "sign-in.png")
    made.close()


def test_the_glance_changes_by_itself(teacher: Page, school: School, device: Device) -> None:
    teacher.get_by_role("link", name="r101").click()
    expect(teacher.locator("#change")).to_have_text("More surprise than ten minutes ago.")
    expect(teacher.locator("#faces")).to_have_text("22")
    expect(teacher.locator("#shares tr[data-label]")).to_have_count(3)
    teacher.screenshot(path=SHOTS / "glance.png", full_page=True)
    device.window({**CALM, "happy": 7})
    expect(teacher.locator("#faces")).to_have_text("25")
    device.window(None, withheld="few_faces")
    expect(teacher.locator("#sentence")).to_contain_text("Too few faces")
    assert teacher.locator("#faces").count() == 0
    device.window(LIVELY)
    expect(teacher.locator("#faces")).to_have_text("22")


def the_class_answers(browser: Browser, school: School, code: str) -> None:
    """Six pupils, each on a phone of their own."""
    for number in range(6):
        pupil = context(browser, phone=True)
        theirs = pupil.new_page()
        theirs.goto(f"{school.service.url}/check")
        theirs.get_by_label("The room's code").fill(code.upper())
        theirs.get_by_role("button", name="Go").click()
        expect(theirs.get_by_role("button", name="I am lost")).to_be_visible()
        if number == 0:
            theirs.screenshot(path=SHOTS / "check-in.png")
        theirs.get_by_role("button", name="I follow well" if number else "I am lost").click()
        expect(theirs.locator("#told")).to_contain_text("Counted.")
        theirs.reload()
        theirs.goto(f"{school.service.url}/check/{code}")
        expect(theirs.locator("#told")).to_contain_text("You have answered in this round.")
        pupil.close()


def test_a_lesson_with_markers_a_class_that_answers_and_a_report(
    teacher: Page,
    school: School,
    device: Device,
    chromium: Browser,  # noqa: F811  # the fixture
    tmp_path: Path,
) -> None:
    page = teacher
    page.goto(f"{school.service.url}/rooms/school/r101")
    page.get_by_label("Title").fill("Optics")
    page.get_by_role("button", name="Start a lesson").click()
    expect(page.locator("#lesson")).to_contain_text("Optics, since")
    page.get_by_label("Marker").fill("experiment starts")
    page.get_by_role("button", name="Set marker").click()
    expect(page.locator("#timeline .marker")).to_have_count(1)
    (lesson,) = school.book.running(*OWN)
    the_class_answers(chromium, school, str(lesson.code))
    # As if an hour had passed: the lesson began then, and its windows are here.
    from sqlalchemy import update

    from collector.tables import lessons

    with school.service._engine.begin() as connection:
        earlier = update(lessons).where(lessons.c.id == lesson.id)
        connection.execute(earlier.values(start=lesson.start - 1500))
    page.get_by_role("button", name="End the lesson").click()
    expect(page.locator("h1")).to_have_text("Optics")
    expect(page.locator("#timeline path[class^=tone]")).to_have_count(3)
    expect(page.locator(".markers li")).to_contain_text("experiment starts")
    expect(page.locator("#attentive")).to_contain_text("measure no attention")
    # Five follow well and one does not: of the one nothing is told, nor that there is just one.
    expect(page.locator("#said ~ table td")).to_have_text(["3", "–", "–"])
    page.get_by_role("textbox", name="Notes").fill("The prism worked.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("p.notes")).to_have_text("The prism worked.")
    page.wait_for_load_state()
    page.screenshot(path=SHOTS / "report.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    pdf = SHOTS / "report.pdf"
    download.value.save_as(pdf)
    assert pdf.read_bytes().startswith(b"%PDF-1.7")
    assert 10_000 < pdf.stat().st_size < 500_000
    for kind in ("csv", "parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=kind, exact=False).first.click()
        assert download.value.suggested_filename.endswith(f".{kind}")
    page.get_by_role("link", name="Lessons").click()
    page.get_by_role("link", name="Optics").click()
    page.get_by_text("Erase this lesson").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.locator("h1")).to_have_text("Lessons")
    expect(page.get_by_role("link", name="Optics")).to_have_count(0)
    device.half_an_hour()


def test_a_teacher_switches_the_camera_off(teacher: Page, school: School, device: Device) -> None:
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.get_by_role("button", name="Switch the camera off").click()
    expect(teacher.locator("#told")).to_have_text("The device was told.")
    wait(lambda: device.commands == ["pause"])
    device.window(None, withheld="paused", frames=0)
    expect(teacher.locator("#state")).to_have_text("paused")
    teacher.screenshot(path=SHOTS / "paused.png")
    teacher.get_by_role("button", name="Switch the camera on").click()
    wait(lambda: device.commands == ["pause", "resume"])
    device.window(LIVELY)
    expect(teacher.locator("#state")).to_have_text("live")


def test_a_teacher_is_refused_anothers_room(teacher: Page, school: School) -> None:
    answer = teacher.goto(f"{school.service.url}/rooms/school/r102")
    assert answer is not None
    assert answer.status == 403
    expect(teacher.locator("main")).to_contain_text("This is not yours to see or to do.")
    teacher.screenshot(path=SHOTS / "refused.png")
    teacher.goto(school.service.url)
    expect(teacher.locator(".card")).to_have_count(1)


def test_a_link_for_a_viewer_works_until_it_is_ended(
    teacher: Page,
    school: School,
    device: Device,
    chromium: Browser,  # noqa: F811  # the fixture
) -> None:
    device.window(LIVELY)
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.get_by_text("Links for viewers").click()
    teacher.get_by_role("button", name="Make a link").click()
    link = teacher.locator("#new-link").inner_text()
    viewer = context(chromium)
    page = viewer.new_page()
    page.goto(link)
    expect(page.locator("#faces")).to_have_text("22")
    assert page.get_by_role("button", name="Switch the camera off").count() == 0
    teacher.get_by_role("button", name="End it").click()
    page.goto(link)
    expect(page.locator("main")).to_contain_text("This link has expired.")
    page.screenshot(path=SHOTS / "link-expired.png")
    viewer.close()


def test_the_first_run_leads_to_the_first_room(
    chromium: Browser,  # noqa: F811  # the fixture
    tmp_path: Path,
    mosquitto: Mosquitto,
) -> None:
    with School(tmp_path, mosquitto.port) as empty:
        wait(lambda: empty.service._ingest.connected)
        made = context(chromium)
        page = made.new_page()
        address = empty.service.first_run()
        assert address is not None
        page.goto(address)
        expect(page.locator("h1")).to_have_text("Welcome")
        page.screenshot(path=SHOTS / "first-run.png", full_page=True)
        page.get_by_label("Name").fill("head")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        expect(page.locator("[role=status]")).to_contain_text("Waiting for the first room.")
        assert empty.service.first_run() is None
        device = Device(mosquitto.port, "r900")
        device.window(CALM)
        page.get_by_role("link", name="school/r900").click()
        expect(page.locator("#faces")).to_have_text("22")
        # The link of the first run is of no more use, to nobody.
        page.context.clear_cookies()
        page.goto(address)
        expect(page.locator("main")).to_contain_text("This link has expired.")
        device.stop()
        made.close()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, int]]:
    if not CANAILLE.exists():
        pytest.skip(f"{CANAILLE} is not there: ./tests/run.sh installs it")
    port = free_port()
    back = f"http://127.0.0.1:{port}/oidc/back"
    made = Provider(tmp_path_factory.mktemp("provider"), back)
    yield made, port
    made.stop()


def test_signing_in_with_the_schools_own_provider(
    chromium: Browser,  # noqa: F811  # the fixture
    provider: tuple[Provider, int],
    tmp_path: Path,
) -> None:
    issuer, port = provider
    oidc = {
        "issuer": issuer.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "name": "the school",
        "roles": {"teachers": "teacher"},
    }
    with School(tmp_path, web={"port": port}, oidc=oidc) as school:
        for person, outcome in (("ada", "Rooms"), ("eve", "You are in no group")):
            made = context(chromium, locale="en-GB")
            page = made.new_page()
            page.goto(f"{school.service.url}/lessons")
            page.get_by_role("link", name="Sign in with the school").click()
            page.locator("input[name=login]").fill(person)
            page.locator("input[name=login]").press("Enter")
            page.locator("input[name=password]").fill(THEIR_PASSWORD)
            page.locator("input[name=password]").press("Enter")
            accept = page.get_by_role("button", name="Accept")
            expect(accept.or_(page.locator("main h1")).first).to_be_visible()
            if accept.count():
                accept.click()
            expect(page.locator("main")).to_contain_text(
                "No lesson yet" if outcome == "Rooms" else outcome
            )
            page.screenshot(path=SHOTS / f"oidc-{person}.png")
            made.close()
        (ada,) = school.service.accounts.all()
        assert (ada.role, ada.local) == ("teacher", False)
        said = [(e.who, e.what) for e in school.service.audit.newest()]
        assert (ada.name, "sign-in") in said
        assert ("somebody", "sign-in refused") in said


PAGES = (
    *("/sign-in", "/", "/rooms/school/r101", "/lessons", "/lessons/{lesson}", "/account"),
    *("/accounts", "/audit", "/keeping", "/api/docs", "/check", "/check/{code}"),
    *("/first-run", "/rooms/school/nowhere"),
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_any_page(
    chromium: Browser,  # noqa: F811  # the fixture
    school: School,
    device: Device,
    dark: bool,
    phone: bool,
) -> None:
    lesson = school.lesson(OWN, minutes=25)
    school.book.mark(lesson, "experiment starts")
    made = context(chromium, dark, phone)
    page = made.new_page()
    sign_in(page, school, "ann")
    expect(page.locator("h1")).to_have_text("Rooms")
    found: list[str] = []
    device.window(LIVELY)
    for path in PAGES:
        if path == "/sign-in":
            other = context(chromium, dark, phone)
            shown = other.new_page()
        else:
            shown = page
        shown.goto(school.service.url + path.format(lesson=lesson.id, code=lesson.code))
        wide = shown.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{path}: {wide} px too wide"] if wide > 0 else []
        answer = Axe().run(
            shown,
            options={
                "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
            },
        )
        found += [
            f"{path}: {one['id']}: {node['html'][:150]} {node['failureSummary'][:200]}"
            for one in answer.response["violations"]
            for node in one["nodes"]
        ]
        name = path.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "rooms"
        look = f"{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
        shown.screenshot(path=SHOTS / f"page-{name}-{look}.png", full_page=True)
    school.book.erase(lesson)
    made.close()
    assert found == [], "\n".join(found)


def test_the_live_page_is_light_and_quick(teacher: Page, school: School) -> None:
    cdp = teacher.context.new_cdp_session(teacher)
    cdp.send("Network.enable")
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    moved: list[float] = []
    cdp.on("Network.loadingFinished", lambda event: moved.append(event["encodedDataLength"]))
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.wait_for_function("performance.getEntriesByType('paint').length > 1")
    time.sleep(0.5)
    paint = teacher.evaluate("performance.getEntriesByType('paint')[0].startTime")
    kilobytes = sum(moved) / 1000
    print(f"live page: {kilobytes:.1f} kB, first paint after {paint:.0f} ms")
    assert 2 < kilobytes < 150
    # Half a second is asked, and printed; machines that test are shared, so this is only a ceiling.
    assert paint < 5000


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_pages_speak_the_readers_language(
    chromium: Browser,  # noqa: F811  # the fixture
    school: School,
    device: Device,
    language: str,
) -> None:
    from collector.pages.render import words

    device.window(LIVELY)
    made = context(chromium, locale=language)
    page = made.new_page()
    page.goto(f"{school.service.url}/sign-in")
    expect(page.locator("h1")).to_have_text(words(language)["sign_in"]["title"])
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    sign_in(page, school, "tess")
    page.get_by_role("button", name=words(language)["language"]).click()
    page.goto(f"{school.service.url}/rooms/school/r101")
    told = words(language)["labels"]["surprise"]
    expect(page.locator("#shares")).to_contain_text(told)
    page.screenshot(path=SHOTS / f"glance-{language}.png", full_page=True)
    made.close()


def test_by_keyboard_alone(teacher: Page, school: School) -> None:
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.keyboard.press("Tab")
    expect(teacher.locator(".skip")).to_be_focused()
    reached = set()
    for _ in range(40):
        teacher.keyboard.press("Tab")
        reached.add(teacher.evaluate("document.activeElement.textContent.trim()"))
    assert {"Start a lesson", "Switch the camera off", "Links for viewers", "Deutsch"} <= reached


def test_many_who_watch_all_see_it(school: School, device: Device) -> None:
    """Feeds, without browsers: each gets the panel once more for each window."""
    heard: list[int] = []

    def watch() -> None:
        with school.by_link(OWN) as client, client.stream("GET", "/rooms/school/r101/live") as feed:
            panels = 0
            for line in feed.iter_lines():
                panels += line.startswith("data:")
                if panels == 2:
                    break
            heard.append(panels)

    threads = [threading.Thread(target=watch) for _ in range(12)]
    for thread in threads:
        thread.start()
    wait(lambda: sum(len(v) for v in school.service._painter._watching.values()) == 12, 20)
    device.window(CALM)
    for thread in threads:
        thread.join(20)
    assert heard == [2] * 12
    assert OTHER
