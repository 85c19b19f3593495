"""Every page of the collector: first run, provider, axe, languages, keyboard, weight."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from collector.pages.words import words
from tests.collector.school import OWN, PASSWORD, School
from tests.conftest import Mosquitto
from tests.free import free_port, wait
from tests.oidc import CANAILLE, CLIENT, SECRET
from tests.oidc import PASSWORD as THEIR_PASSWORD
from tests.oidc import School as Provider
from tests.room_device import CALM, LIVELY, PlayedDevice
from tests.system.browser import SHOTS, context, sign_in

pytestmark = pytest.mark.once


def test_the_first_run_leads_to_the_first_room(
    chromium: Browser,
    tmp_path: Path,
    mosquitto: Mosquitto,
) -> None:
    with School(tmp_path, mosquitto.port) as empty:
        browsing = context(chromium)
        page = browsing.new_page()
        address = empty.service.first_run()
        assert address is not None
        page.goto(address)
        expect(page.locator("h1")).to_have_text("Welcome")
        page.screenshot(path=SHOTS / "first-run.png", full_page=True)
        page.get_by_label("Name").fill("head")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        expect(page.locator("[role=status]")).to_contain_text("Waiting for the first room.")
        assert empty.service.first_run() is None
        with PlayedDevice(mosquitto.port, "r900") as device:
            device.window(CALM)
        page.get_by_role("link", name="school/r900").click()
        expect(page.locator("#faces")).to_have_text("22")
        # The link of the first run is of no more use, to nobody.
        page.context.clear_cookies()
        page.goto(address)
        expect(page.locator("main")).to_contain_text("This link has expired.")
        browsing.close()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, int]]:
    if not CANAILLE.exists():
        pytest.skip(f"{CANAILLE} is not there: ./tests/run.sh installs it")
    port = free_port()
    back = f"http://127.0.0.1:{port}/oidc/back"
    new_provider = Provider(tmp_path_factory.mktemp("provider"), back)
    yield new_provider, port
    new_provider.stop()


def test_signing_in_with_the_schools_own_provider(
    chromium: Browser,
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
        for person, outcome in (("ada", "Rooms"), ("eve", "None of your groups may sign in here")):
            browsing = context(chromium, locale="en-GB")
            page = browsing.new_page()
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
            browsing.close()
        (ada,) = school.service.accounts.all()
        assert (ada.role, ada.local) == ("teacher", False)
        entries = [(e.who, e.what) for e in school.service.audit.newest()]
        assert (ada.name, "sign-in") in entries
        assert ("somebody", "sign-in refused") in entries


PAGES = (
    *("/sign-in", "/", "/rooms/school/r101", "/lessons", "/lessons/{lesson}", "/account"),
    *("/accounts", "/audit", "/retention", "/api/docs", "/check", "/check/{code}"),
    *("/first-run", "/rooms/school/nowhere", "/rooms/school/r101/wall", "/design"),
    *("/lessons?text=optics", "/compare?lesson={lesson}&lesson={earlier}"),
)


ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""The rules that ask about colours and sizes: all others read the same in every variant."""

ONLY_WRONG = {"resultTypes": ["violations"]}
"""Else axe describes every part of a page that is as it should be, for nobody."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_any_page(
    chromium: Browser,
    school: School,
    device: PlayedDevice,
    dark: bool,
    phone: bool,
) -> None:
    lesson = school.lesson(OWN, minutes=25)
    school.repository.mark(lesson, "experiment starts")
    earlier = school.old_lesson()
    numbers = {"lesson": lesson.id, "code": lesson.code, "earlier": earlier.id}
    browsing = context(chromium, dark, phone)
    page = browsing.new_page()
    sign_in(page, school.service.url, "ann")
    expect(page.locator("h1")).to_have_text("Rooms")
    findings: list[str] = []
    device.window(LIVELY)
    for path in PAGES:
        if path == "/sign-in":
            other = context(chromium, dark, phone)
            other_page = other.new_page()
        else:
            other_page = page
        other_page.goto(school.service.url + path.format(**numbers))
        wide = other_page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        findings += [f"{path}: {wide} px too wide"] if wide > 0 else []
        rules = {"type": "rule", "values": LOOKS} if dark or phone else ALL_RULES
        answer = Axe().run(other_page, options={"runOnly": rules} | ONLY_WRONG)
        findings += [
            f"{path}: {one['id']}: {node['html'][:150]} {node['failureSummary'][:200]}"
            for one in answer.response["violations"]
            for node in one["nodes"]
        ]
        name = (
            path.partition("?")[0].strip("/").replace("/", "-").replace("{", "").replace("}", "")
            or "rooms"
        )
        look = f"{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
        other_page.screenshot(path=SHOTS / f"page-{name}-{look}.png", full_page=True)
    school.repository.erase(lesson)
    school.repository.erase(earlier)
    browsing.close()
    assert findings == [], "\n".join(findings)


SHIFTS = """
  window.shifts = [0];
  new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(one => one.value)))
    .observe({type: "layout-shift", buffered: true});
"""


def test_the_live_page_is_light_and_still(
    teacher: Page, school: School, device: PlayedDevice
) -> None:
    """Its weight, and the largest shift over news of several kinds, are budgets; the first paint
    (half a second is asked) is printed: machines that test are shared."""
    cdp = teacher.context.new_cdp_session(teacher)
    cdp.send("Network.enable")
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    weight: list[float] = []
    cdp.on("Network.loadingFinished", lambda event: weight.append(event["encodedDataLength"]))
    teacher.add_init_script(SHIFTS)
    device.window(CALM)
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.wait_for_function("() => performance.getEntriesByType('paint').length > 1")
    number = "document.querySelector('.live-panel').dataset.seq"
    for counts in (LIVELY, CALM, {**CALM, "happy": 7}, {**LIVELY, "surprise": 9}, LIVELY):
        before = teacher.evaluate(number)
        device.window(counts)
        teacher.wait_for_function(f"before => {number} !== before", arg=before)
    paint = teacher.evaluate("performance.getEntriesByType('paint')[0].startTime")
    shift, kilobytes = teacher.evaluate("Math.max(...shifts)"), sum(weight) / 1000
    print(
        f"live page: {kilobytes:.1f} kB, first paint after {paint:.0f} ms, "
        f"largest shift {shift:.3f}"
    )
    assert 2 < kilobytes < 120
    assert shift <= 0.02


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_pages_speak_the_readers_language(
    chromium: Browser,
    school: School,
    device: PlayedDevice,
    language: str,
) -> None:
    device.window(LIVELY)
    browsing = context(chromium, locale=language)
    page = browsing.new_page()
    page.goto(f"{school.service.url}/sign-in")
    expect(page.locator("h1")).to_have_text(words(language)["sign_in"]["title"])
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    sign_in(page, school.service.url, "tess")
    page.get_by_role("button", name=words(language)["language"]).click()
    page.goto(f"{school.service.url}/rooms/school/r101")
    label = words(language)["labels"]["surprise"]
    expect(page.locator("#shares")).to_contain_text(label)
    page.screenshot(path=SHOTS / f"glance-{language}.png", full_page=True)
    browsing.close()


def test_by_keyboard_alone(teacher: Page, school: School) -> None:
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.keyboard.press("Tab")
    expect(teacher.locator(".skip")).to_be_focused()
    addresses = set()
    for _ in range(40):
        teacher.keyboard.press("Tab")
        addresses.add(teacher.evaluate("document.activeElement.textContent.trim()"))
    assert {"Camera is on", "Share", "Deutsch"} <= addresses
    assert {"Start lesson", "Name this lesson"} & addresses


def test_many_who_watch_all_see_it(school: School, device: PlayedDevice) -> None:
    """Feeds, without browsers: each gets the panel once more for each window."""
    watching: list[int] = []
    statuses: list[int] = []

    def watch() -> None:
        with school.by_link(OWN) as client, client.stream("GET", "/rooms/school/r101/live") as feed:
            panels = 0
            for line in feed.iter_lines():
                panels += line.startswith("data:")
                if panels == 2:
                    break
                if line.startswith("data:"):
                    watching.append(1)
            statuses.append(panels)

    threads = [threading.Thread(target=watch) for _ in range(12)]
    for thread in threads:
        thread.start()
    wait(lambda: len(watching) == 12)
    device.window(CALM)
    for thread in threads:
        thread.join(60)
    assert statuses == [2] * 12
