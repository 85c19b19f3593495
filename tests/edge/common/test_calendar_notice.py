"""Events that stand beside a lesson and call it off; whatever else is there goes on."""

from __future__ import annotations

import itertools
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from edge.common.calendar import Calendar

MONDAY = date(2026, 3, 2)
NINE = ("DTSTART:20260302T091500", "DTEND:20260302T100000")
ELEVEN = ("DTSTART:20260302T111500", "DTEND:20260302T120000")
WHOLE = ("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303")
EVERY_WEEK = ("DTSTART:20260223T091500", "DTEND:20260223T100000", "RRULE:FREQ=WEEKLY")


def event(title: str, *lines: str, place: str = "", uid: str = "") -> str:
    where = [f"LOCATION:{place}"] if place else []
    own = [f"UID:{uid or title}", f"SUMMARY:{title}", *where, *lines]
    return "\r\n".join(["BEGIN:VEVENT", *own, "END:VEVENT", ""])


def plan(*events: str) -> tuple[list[str], dict[str, str]]:
    """Titles that take place on Monday, and why others do not."""
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(events)}END:VCALENDAR\r\n"
    calendar = Calendar(text.encode(), ZoneInfo("Europe/Berlin"), "t.ics")
    ignored = {one.event: one.why for one in calendar.ignored_on(MONDAY)}
    return [str(one.event["SUMMARY"]) for one in calendar.on(MONDAY)], ignored


TITLES = [
    *(
        "Mathe entfällt",
        "Entfällt: Mathe",
        "Mathe 7b (Meier) fällt aus",
        "Ausfall Mathe",
        "entfällt",
    ),
    *(
        "Mathe abgesagt wegen Krankheit",
        "Cancelled: Mathe",
        "Cours annulé - Mathe",
        "Kein Unterricht",
    ),
]


@pytest.mark.parametrize("lesson", [NINE, EVERY_WEEK], ids=["once", "weekly"])
@pytest.mark.parametrize("when", [NINE, WHOLE, EVERY_WEEK], ids=["once", "day", "weekly"])
@pytest.mark.parametrize("title", TITLES)
def test_a_notice_calls_off_what_it_names(
    lesson: tuple[str, ...], when: tuple[str, ...], title: str
) -> None:
    for place, elsewhere in itertools.product(("", "R101"), ("", "R 101", "Online")):
        maths = event("Mathe 7b", *lesson, place=place)
        left, ignored = plan(maths, event(title, *when, place=elsewhere))
        assert left == []
        assert ignored["Mathe 7b (2026-03-02)"] == f"called off by {title}"


@pytest.mark.parametrize(
    "notice",
    [
        event("Mathe entfällt", *ELEVEN),
        event("Mathe entfällt", *NINE, place="R102"),
        event("Physik entfällt", *NINE),
        event("Physik entfällt", *WHOLE),
        event("Mathe", *NINE, "STATUS:CANCELLED", uid="moved"),
        event("Cancelled: Mathe", *NINE, "STATUS:CANCELLED", uid="moved"),
        event("Ferien", *WHOLE),
        event("Mathe entfällt nicht", *ELEVEN),
        event("Mathe entfällt", "DTSTART:20260302T080000", "DTEND:20260302T091500"),
        event("Mathe entfällt", "DTSTART:20260309T091500", "DTEND:20260309T100000"),
        event("Mathe entfällt", "SEQUENCE:1"),
    ],
)
def test_what_is_no_notice_of_a_lesson_leaves_it(notice: str) -> None:
    assert "Mathe" in plan(event("Mathe", *NINE, place="R101", uid="m"), notice)[0]


def test_a_substitute_in_the_same_room_takes_place() -> None:
    lessons = [event("Mathe", *NINE, place="R101"), event("Deutsch", *NINE, place="R101")]
    assert plan(*lessons, event("Mathe entfällt", *NINE, place="R101"))[0] == ["Deutsch"]


def test_a_day_without_lessons_has_none() -> None:
    lessons = [event("Mathe", *NINE, place="R101"), event("Deutsch", *ELEVEN, place="R102")]
    assert plan(*lessons, event("Schulfrei (Studientag)", *WHOLE))[0] == []
    # Of one class it says so of that class alone.
    assert plan(*lessons, event("Deutsch: kein Unterricht", *WHOLE))[0] == ["Mathe"]


def test_a_changed_occurrence_speaks_of_its_own_series_alone() -> None:
    change = event("Mathe entfällt", *NINE, "RECURRENCE-ID:20260302T091500", uid="7a")
    series = [event("Mathe", *EVERY_WEEK, uid=uid) for uid in ("7a", "7b")]
    assert plan(*series, change)[0] == ["Mathe"]
