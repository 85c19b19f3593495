"""What a teacher does on the collector's pages: a real Chromium and a real broker."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from collector.lessons.repository import Lesson
from collector.storage.tables import lessons
from tests.collector.school import OWN, School
from tests.free import wait
from tests.room_device import CALM, LIVELY, PlayedDevice
from tests.system.browser import SHOTS, context, sign_in

pytestmark = pytest.mark.once


def test_a_wrong_password_is_said_and_nothing_more(chromium: Browser, school: School) -> None:
    browsing = context(chromium)
    page = browsing.new_page()
    page.goto(f"{school.service.url}/rooms/school/r101")
    expect(page).to_have_url(re.compile("/sign-in"))
    sign_in(page, school.service.url, "tess", "not the password")
    expect(page.locator("#wrong")).to_have_text("Wrong name or password.")
    page.screenshot(path=SHOTS / "sign-in.png")
    browsing.close()


def test_the_glance_changes_by_itself(teacher: Page, school: School, device: PlayedDevice) -> None:
    teacher.get_by_role("link", name="r101").click()
    expect(teacher.locator("#change")).to_contain_text(
        "More surprised faces than ten minutes ago: about"
    )
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
        if number == 2:
            theirs.get_by_label("The room's code").fill("zzzzz")
            theirs.get_by_role("button", name="Go").click()
            expect(theirs.locator(".wrong")).to_contain_text("Check the code.")
        theirs.get_by_label("The room's code").fill(code.upper())
        theirs.get_by_role("button", name="Go").click()
        expect(theirs.get_by_role("button", name="I'm lost")).to_be_visible()
        if number == 0:
            theirs.screenshot(path=SHOTS / "check-in.png")
        theirs.get_by_role("button", name="I'm following" if number else "I'm lost").click()
        expect(theirs.locator("#told")).to_contain_text("Counted.")
        if number == 1:  # one that meant something else
            theirs.get_by_role("button", name="Change my answer").click()
            theirs.get_by_role("button", name="I'm following").click()
            expect(theirs.locator("#told")).to_contain_text("Counted.")
        theirs.reload()
        theirs.goto(f"{school.service.url}/check/{code}")
        expect(theirs.locator("#told")).to_contain_text("You have answered in this round.")
        pupil.close()


def test_a_lesson_with_markers_a_class_that_answers_and_a_report(
    teacher: Page,
    school: School,
    device: PlayedDevice,
    chromium: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not off by a few, as what is told otherwise is.
    monkeypatch.setattr("collector.lessons.checkins.inexact", lambda counts, *_: counts)
    page = teacher
    page.goto(f"{school.service.url}/rooms/school/r101")
    page.get_by_label("Title").fill("Optics")
    page.get_by_label("Title").press("Enter")  # starts it, or names the one that was found
    expect(page.locator("#lesson")).to_contain_text("Optics, since")
    page.get_by_label("Marker").fill("experiment starts")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#timeline .marker")).to_have_count(1)
    (lesson,) = school.repository.running(*OWN)
    the_class_answers(chromium, school, str(lesson.code))
    device.window(LIVELY)
    expect(page.locator("#answering")).to_have_text("6 answered")
    # As if an hour had passed: the lesson began then, and its windows are here.

    with school.engine.begin() as connection:
        earlier = update(lessons).where(lessons.c.id == lesson.id)
        connection.execute(earlier.values(start=lesson.start - 1500))
    page.get_by_role("button", name="End lesson").click()
    expect(page.locator("h1")).to_have_text("End the lesson “Optics”?")
    page.get_by_role("button", name="End lesson").click()
    expect(page.locator("h1")).to_have_text("Optics")
    expect(page.locator("#timeline path[class^=tone]")).to_have_count(3)
    expect(page.locator(".markers li")).to_contain_text("experiment starts")
    expect(page.locator("#attentive")).to_contain_text("they don't measure attention")
    # Five follow well and one does not: of the one nothing is told, nor that there is just one.
    expect(page.locator("#said ~ table td")).to_have_text(["3", "–", "–"])
    page.get_by_role("textbox", name="Notes").fill("The prism worked.")
    expect(page.locator("#saved")).to_contain_text("Saved at")
    page.reload()
    expect(page.get_by_role("textbox", name="Notes")).to_have_value("The prism worked.")
    page.screenshot(path=SHOTS / "report.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    pdf = SHOTS / "report.pdf"
    download.value.save_as(pdf)
    assert pdf.read_bytes().startswith(b"%PDF-1.7")
    assert 10_000 < pdf.stat().st_size < 500_000
    for kind in ("csv", "parquet"):
        page.locator("details.menu").evaluate("menu => { menu.open = true; }")
        with page.expect_download() as download:
            page.get_by_role("link", name=kind, exact=False).first.click()
        assert download.value.suggested_filename.endswith(f".{kind}")
    page.get_by_role("link", name="Lessons", exact=True).click()
    page.get_by_role("link", name="Optics").click()
    page.get_by_role("button", name="Delete this lesson").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.locator("h1")).to_have_text("Lessons")
    expect(page.get_by_role("link", name="Optics")).to_have_count(0)
    device.half_an_hour()


NOW = -15
"""A window that begins now: what came before, with the lesson that was erased, stays erased."""


def test_a_teacher_switches_the_camera_off(
    teacher: Page, school: School, device: PlayedDevice
) -> None:
    device.window(LIVELY, NOW)  # a slow machine may have come to take the room for offline
    with school.as_person("tess") as client:  # of an erased room there is no page before it came
        wait(lambda: client.get("/rooms/school/r101").status_code == 200)
    teacher.goto(f"{school.service.url}/rooms/school/r101")

    def commands() -> list[str]:
        """Without what erasing the lesson before told the device."""
        return [command for command in device.commands if command != "erase"]

    teacher.get_by_role("switch", name="Camera is on").click()
    expect(teacher.locator("#camera")).to_have_text("Turning the camera off …")
    wait(lambda: commands() == ["pause"])
    teacher.reload()  # sends nothing again
    expect(teacher.locator("#camera")).to_have_text("Turning the camera off …")
    assert commands() == ["pause"]
    device.window(None, NOW, withheld="paused", frames=0)
    expect(teacher.locator("#state")).to_have_text("camera off")
    teacher.screenshot(path=SHOTS / "paused.png")
    teacher.get_by_role("switch", name="Camera is off").click()
    wait(lambda: commands() == ["pause", "resume"])
    device.window(LIVELY, NOW)
    expect(teacher.locator("#state")).to_have_text("live")


def test_a_teacher_is_refused_anothers_room(teacher: Page, school: School) -> None:
    answer = teacher.goto(f"{school.service.url}/rooms/school/r102")
    assert answer is not None
    assert answer.status == 403
    expect(teacher.locator("main")).to_contain_text("You don't have permission to do this.")
    teacher.screenshot(path=SHOTS / "refused.png")
    teacher.goto(school.service.url)
    expect(teacher.locator(".card")).to_have_count(1)


def test_a_link_for_a_viewer_works_until_it_is_ended(
    teacher: Page,
    school: School,
    device: PlayedDevice,
    chromium: Browser,
) -> None:
    device.window(LIVELY)
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.locator("summary", has_text="Share").click()
    teacher.get_by_role("button", name="Create link").click()
    link = teacher.locator("#new-link").inner_text()
    viewer = context(chromium)
    page = viewer.new_page()
    page.goto(link)
    expect(page.locator("#faces")).to_have_text("22")
    assert page.locator("#camera").count() == 0
    teacher.get_by_role("button", name="Revoke").click()
    expect(teacher.locator("h1")).to_contain_text("Revoke the link created by")
    teacher.get_by_role("button", name="Revoke").click()
    page.goto(link)
    expect(page.locator("main")).to_contain_text("This link has expired.")
    page.screenshot(path=SHOTS / "link-expired.png")
    viewer.close()


def test_naming_a_lesson_that_was_found_keeps_what_it_has(teacher: Page, school: School) -> None:
    new_lessons: list[Lesson] = []

    def begins() -> bool:
        """As long as the collector finds another first, that one ends."""
        for one in school.repository.running(*OWN):
            school.repository.end(one)
        lesson = school.repository.begin(*OWN, "Lesson", "found", start=time.time() - 2400)
        new_lessons.extend([lesson] if lesson else [])
        return bool(new_lessons)

    wait(begins)
    (lesson,) = new_lessons
    school.repository.mark(lesson, "experiment", time.time() - 600)
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    teacher.get_by_label("Title").fill("Optics")
    teacher.get_by_role("button", name="Name this lesson").click()
    expect(teacher.locator("#lesson")).to_contain_text("Optics, since")
    (optics,) = school.repository.running(*OWN)
    assert (optics.id, optics.start, optics.teacher) == (
        lesson.id,
        lesson.start,
        "tess",
    )
    assert [one.text for one in school.repository.markers(optics)] == ["experiment"]
    # A marker by its key, and the wall by its own; reloading sets nothing again.
    expect(teacher.locator("[data-keys] [data-key='2'] kbd")).to_be_visible()
    teacher.keyboard.press("2")
    expect(teacher.locator("#timeline text.flag", has_text="group work")).to_have_count(1)
    teacher.reload()
    assert len(school.repository.markers(optics)) == 2
    expect(teacher.locator("[data-keys]")).to_have_count(1)
    teacher.keyboard.press("f")
    expect(teacher.locator("html")).to_have_class("wall")
    expect(teacher.locator(".top")).not_to_be_visible()
    teacher.keyboard.press("f")
    expect(teacher.locator(".top")).to_be_visible()
    # Who speaks to the computer, or rests a hand on the keys, switches them off, for good.
    teacher.get_by_label("Keyboard shortcuts").uncheck()
    expect(teacher.locator(".bar-of-actions kbd").first).not_to_be_visible()
    teacher.reload()
    expect(teacher.get_by_label("Keyboard shortcuts")).not_to_be_checked()
    teacher.keyboard.press("2")
    teacher.keyboard.press("f")
    expect(teacher.locator("html")).not_to_have_class("wall")
    assert len(school.repository.markers(optics)) == 2
    teacher.get_by_label("Keyboard shortcuts").check()
    expect(teacher.locator("[data-keys] [data-key='2'] kbd")).to_be_visible()
    school.repository.erase(optics)


def test_the_wall_is_the_room_alone(teacher: Page, school: School, device: PlayedDevice) -> None:
    device.window(LIVELY)
    teacher.goto(f"{school.service.url}/rooms/school/r101/wall")
    expect(teacher.locator("#shares")).to_be_visible()
    expect(teacher.locator("nav")).to_have_count(1)
    expect(teacher.locator("nav")).not_to_be_visible()
    assert teacher.evaluate("getComputedStyle(document.documentElement).cursor") == "none"
    wide = teacher.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    size = "parseFloat(getComputedStyle(document.querySelector('.headline')).fontSize)"
    headline = teacher.evaluate(size)
    assert headline >= 0.04 * 1280, "read from three metres"


def test_the_timeline_is_read_by_keyboard_and_pointer(
    teacher: Page, school: School, device: PlayedDevice
) -> None:
    for back in range(8, -1, -1):  # the last minutes, however long the tests before this one took
        device.window(LIVELY, ago=15 * back)
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    reader = teacher.locator("#reader")
    reader.press("ArrowLeft")
    expect(teacher.locator("#reading")).to_contain_text("faces")
    expect(teacher.locator("#reading")).to_contain_text("%")
    assert teacher.locator("#reader").get_attribute("aria-valuetext")
    teacher.locator("#timeline").hover()
    expect(teacher.locator("#timeline .cursor")).to_have_count(1)


def test_a_long_lesson_is_shown_whole(teacher: Page, school: School, device: PlayedDevice) -> None:
    for one in school.repository.running(*OWN):
        school.repository.end(one)
    long = school.repository.begin(
        *OWN, "Optics", "button", teacher="tess", start=time.time() - 3600
    )
    assert long is not None
    device.window(LIVELY)
    teacher.goto(f"{school.service.url}/rooms/school/r101")
    expect(teacher.locator("#last")).to_have_text("Last 30 minutes", use_inner_text=True)
    teacher.get_by_role("button", name="The whole lesson").click()
    expect(teacher.locator("#timeline-lesson")).to_be_visible()
    expect(teacher.locator("#timeline")).not_to_be_visible()
    number = "document.querySelector('.live-panel').dataset.seq"
    before = teacher.evaluate(number)
    device.window(LIVELY)  # and stays so with the next reading
    teacher.wait_for_function(f"before => {number} !== before", arg=before)
    expect(teacher.locator("#timeline-lesson")).to_be_visible()
    expect(teacher.locator("#last")).to_have_text("The whole lesson", use_inner_text=True)
    school.repository.erase(long)


def test_where_faces_alone_are_counted_nothing_is_said_of_expressions(
    chromium: Browser, school: School, device: PlayedDevice
) -> None:
    with PlayedDevice(device.port, "r103") as counting:
        for back in range(80, -1, -1):
            faces = 18 if back > 20 else 24
            counting.window(None, ago=15 * back, withheld="headcount_only", faces=faces)
        browsing = context(chromium)
        page = browsing.new_page()
        sign_in(page, school.service.url, "ann")
        expect(page.locator("h1")).to_have_text("Rooms")
        page.goto(f"{school.service.url}/rooms/school/r103")
        expect(page.locator("#change")).to_have_text("▲ 6 more faces than ten minutes ago: now 24")
        expect(page.locator("#state")).to_have_text("counting faces")
        assert "xpression" not in page.locator("#panel").inner_text()
        browsing.close()
