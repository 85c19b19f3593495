"""Whatever stands beside a lesson in its room, and is not there every week, shuts it."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.calendar import Calendar
from edge.common.calendar_beside import BUSY, HARMLESS
from edge.common.cancellation import calls_off, plain_text, words
from tests.edge.common.test_calendar_faults import BERLIN, MONDAY, event, file

ZONE = ";TZID=Europe/Berlin:"
WEEKLY = event(
    f"DTSTART{ZONE}20260302T091500",
    f"DTEND{ZONE}20260302T100000",
    "RRULE:FREQ=WEEKLY;COUNT=20",
    "SUMMARY:Optics",
    "LOCATION:R101",
    uid="weekly@s",
)
SINGLES = "".join(
    event(
        f"DTSTART{ZONE}{day:%Y%m%d}T091500",
        f"DTEND{ZONE}{day:%Y%m%d}T100000",
        "SUMMARY:Optics",
        "LOCATION:R101",
        uid=f"{day}@s",
    )
    for day in (MONDAY + timedelta(weeks=n) for n in range(6))
)
ELSEWHERE = event(
    f"DTSTART{ZONE}20260302T091500",
    f"DTEND{ZONE}20260302T100000",
    "RRULE:FREQ=WEEKLY;COUNT=20",
    "SUMMARY:History",
    "LOCATION:R102",
    uid="elsewhere@s",
)


def note(title: str, start: str = "0915", end: str = "1000", place: str = "R101") -> str:
    """An event for the first Monday alone."""
    lines = [f"DTSTART{ZONE}20260302T{start}00", f"DTEND{ZONE}20260302T{end}00"]
    return event(*lines, f"SUMMARY:{title}", f"LOCATION:{place}", uid="note@s")


def titles(text: str, day: date = MONDAY, *harmless: str) -> list[str]:
    calendar = Calendar(text.encode(), BERLIN, "lessons.ics", harmless=harmless)
    return [str(one.event.get("SUMMARY")) for one in calendar.on(day)]


TITLES = [
    *("Go home everybody", "Frau Meyer ist im Krankenhaus", "Bitte Jacken mitnehmen"),
    *("On reste chez soi", "Quedaos en casa", "Asbestos found", "Feueralarm", "xyz 12"),
    *("Optics - stay at home", "Trip to Paris", "Guest lecture", "7b is in the pool"),
]


@pytest.mark.parametrize("lessons", [WEEKLY, SINGLES], ids=["series", "single events"])
@pytest.mark.parametrize(
    ("start", "end"), [("0915", "1000"), ("0800", "1300"), ("0930", "0945"), ("0700", "0930")]
)
@pytest.mark.parametrize("title", TITLES)
def test_a_note_of_any_words_shuts_the_lesson_that_it_stands_beside(
    title: str, start: str, end: str, lessons: str
) -> None:
    text = file(lessons, ELSEWHERE, note(title, start, end))
    assert titles(text) == ["History"]
    assert titles(text, MONDAY + timedelta(weeks=1)) == ["Optics", "History"]
    calendar = Calendar(text.encode(), BERLIN, "lessons.ics")
    reasons = {one.event: one.why for one in calendar.ignored_on(MONDAY)}
    assert title in reasons["Optics (2026-03-02)"] or "called off" in reasons["Optics (2026-03-02)"]


@pytest.mark.parametrize("title", TITLES)
def test_one_of_whole_days_does_so_where_it_says_the_room(title: str) -> None:
    lines = ["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303", f"SUMMARY:{title}"]
    there = event(*lines, "LOCATION:Raum 101", uid="note@s")
    assert titles(file(WEEKLY, ELSEWHERE, there)) == ["History"]
    assert titles(file(WEEKLY, ELSEWHERE, event(*lines, uid="note@s"))) == ["Optics", "History"]


@pytest.mark.parametrize("title", TITLES)
def test_whoever_knows_that_it_says_nothing_writes_so_into_the_settings(title: str) -> None:
    text = file(WEEKLY, note(title))
    for one in (title, title.upper(), title[:3] + "*"):
        assert "Optics" in titles(text, MONDAY, one)
    assert "Optics" not in titles(text, MONDAY, "another", "")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_title_leaves_it_open_but_those_that_say_nothing(title: str) -> None:
    text = re.sub(r"([\\;,])", r"\\\1", title)
    if calls_off(title):  # what it calls off by its words, tests/test_called_off_titles.py tries
        return
    own = plain_text(title)
    says_nothing = (
        not any(map(str.isalnum, title)) or HARMLESS.fullmatch(own) or BUSY.fullmatch(own)
    )
    is_same = words(title) - {"7b"} == {"optics"}
    for lessons in (WEEKLY, SINGLES):
        opens = "Optics" in titles(file(lessons, note(text)))
        assert opens <= bool(says_nothing or is_same), title


@pytest.mark.parametrize(
    "others",
    [
        note("Trip to Paris", place="R102"),  # another room
        note("Trip to Paris", "1000", "1100"),  # afterwards
        note("Trip to Paris", "0955", "1100"),  # times that are not kept well
        note("Optics 7b"),  # the same lesson, twice
        note(""),
        note("Week A", "0000", "2300"),
        note("Ann's birthday", "0800", "1200"),
        note("Busy"),
        event(  # a second group, every week
            f"DTSTART{ZONE}20260223T091500",
            f"DTEND{ZONE}20260223T100000",
            "RRULE:FREQ=WEEKLY",
            "SUMMARY:Acoustics",
            "LOCATION:R101",
            uid="group@s",
        ),
    ],
)
def test_what_says_nothing_of_a_lesson_leaves_it(others: str) -> None:
    assert "Optics" in titles(file(WEEKLY, others))


def test_two_groups_that_are_there_once_at_one_time_are_lessons() -> None:
    exam = note("Exam, group 1").replace("note@s", "one@s")
    assert len(titles(file(exam, note("Oral, group 2")))) == 2
    assert titles(file(exam, note("Oral, group 2", "0900"))) == []


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=5", "FREQ=DAILY;UNTIL=20260306T235900Z"])
def test_a_note_for_a_week_is_not_usual(rule: str) -> None:
    one = note("Stay at home").replace("SUMMARY", f"RRULE:{rule}\r\nSUMMARY")
    assert titles(file(WEEKLY, one)) == []
    week = "".join(
        note("Stay at home").replace("20260302", f"2026030{day}").replace("note@", f"{day}@")
        for day in range(2, 7)
    )
    assert titles(file(WEEKLY, week)) == []
