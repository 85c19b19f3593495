"""Calendars as the field sends them: a fault stays with its event, nothing cancelled opens."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.calendar import Calendar
from edge.common.errors import UserError
from edge.common.text import decode

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
REPORTS = Path("../shared/reports/calendars")

START = "DTSTART;TZID=Europe/Berlin:20260302T091500"
END = "DTEND;TZID=Europe/Berlin:20260302T100000"


def event(*lines: str, uid: str = "1@s") -> str:
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""]
    )


def calendar(*events: str, head: str = "", tentative: bool = False) -> Calendar:
    lines = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{head}"
    text = lines + "".join(events) + "END:VCALENDAR\r\n"
    return Calendar(text.encode(), BERLIN, "lessons.ics", tentative=tentative)


GOOD = event(START, END, "SUMMARY:Good", uid="good@s")


def titles(school_calendar: Calendar, day: date = MONDAY) -> list[str]:
    return [str(one.event.get("SUMMARY")) for one in school_calendar.on(day)]


FAULTS = {
    "no start": ("SUMMARY:x",),
    "a start that is no time": ("DTSTART:2026-03-02T09:15:00", END),
    "a start given twice": (START, START, END),
    "an end before the start": (START, "DTEND;TZID=Europe/Berlin:20260302T081500"),
    "an unknown zone": ("DTSTART;TZID=Mars/Base:20260302T091500", END),
    "an unknown frequency": (START, END, "RRULE:FREQ=FORTNIGHTLY"),
    "a rule without frequency": (START, END, "RRULE:"),
    "an interval of nothing": (START, END, "RRULE:FREQ=DAILY;INTERVAL=0"),
    "every second": (START, END, "RRULE:FREQ=SECONDLY"),
    "an hour of a day": (START, END, "RRULE:FREQ=DAILY;BYHOUR=99"),
    "a day that no month has": (START, END, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    "a month that is a word": (START, END, "RRULE:FREQ=DAILY;BYMONTH=May"),
    "an exception that is no date": (START, END, "RRULE:FREQ=DAILY", "EXDATE:tomorrow"),
    "a date that is no date": (START, END, "RDATE:soon"),
}


@pytest.mark.parametrize("lines", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_stays_with_its_event_and_is_named(lines: tuple[str, ...]) -> None:
    school_calendar = calendar(event(*lines, "SUMMARY:Broken"), GOOD)
    assert titles(school_calendar) == ["Good"]
    assert len(school_calendar.faults) == 1
    assert school_calendar.faults[0].why


NOT_ON = {
    "cancelled": "STATUS:CANCELLED",
    "cancelled, in small letters": "STATUS:cancelled",
    "tentative": "STATUS:TENTATIVE",
    "free time": "TRANSP:TRANSPARENT",
    "free time by another name": "TRANSP:FREE",
    "nothing where free or busy stands": "TRANSP:",
    "a room that is not to be had": "ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED:mailto:r101@s.example",
    "a status of its own": "STATUS:MAYBE",
    "a whole day by Outlook": "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
}


@pytest.mark.parametrize("line", NOT_ON.values(), ids=NOT_ON.keys())
def test_only_an_event_that_says_it_takes_place_does(line: str) -> None:
    school_calendar = calendar(event(START, END, line, "SUMMARY:Off"), GOOD)
    assert titles(school_calendar) == ["Good"]
    assert [one.event for one in school_calendar.ignored_on(MONDAY)] == ["Off (2026-03-02)"]


def test_tentative_events_count_where_that_is_wanted() -> None:
    line = event(START, END, "STATUS:TENTATIVE", "SUMMARY:Perhaps")
    assert titles(calendar(line, tentative=True)) == ["Perhaps"]


def test_a_calendar_that_calls_its_events_off_opens_nothing() -> None:
    assert titles(calendar(GOOD, head="METHOD:CANCEL\r\n")) == []


def test_one_occurrence_of_a_series_is_cancelled() -> None:
    series = event(START, END, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Daily")
    off = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260303T091500",
        START.replace("0302", "0303"),
        END.replace("0302", "0303"),
        "STATUS:CANCELLED",
        "SUMMARY:Daily",
    )
    school_calendar = calendar(series, off)
    days = [titles(school_calendar, MONDAY + timedelta(days=n)) for n in range(4)]
    assert days == [["Daily"], [], ["Daily"], []]


def test_a_change_that_cannot_be_read_closes_its_series() -> None:
    """It may have cancelled any day of it."""
    series = event(START, END, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Daily")
    change = event("RECURRENCE-ID:tuesday", START, END, "STATUS:CANCELLED")
    school_calendar = calendar(series, change, GOOD)
    assert [titles(school_calendar, MONDAY + timedelta(days=n)) for n in range(2)] == [["Good"], []]


def test_the_newer_of_two_copies_of_an_event_is_the_one_that_holds() -> None:
    old = event(START, END, "SEQUENCE:0", "SUMMARY:Optics")
    new = event(START, END, "SEQUENCE:1", "STATUS:CANCELLED", "SUMMARY:Optics")
    assert titles(calendar(old, new)) == []
    assert titles(calendar(new, old)) == []


def test_holidays_are_whole_days_marked_as_free_time_too() -> None:
    lines = ("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303", "TRANSP:TRANSPARENT")
    assert calendar(event(*lines)).any_on(MONDAY)
    assert not calendar(event(*lines)).any_on(MONDAY + timedelta(days=1))
    assert not calendar(event(*lines, "STATUS:CANCELLED")).any_on(MONDAY)


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;UNTIL=20260304", "FREQ=DAILY;UNTIL=20260304T091500", "FREQ=DAILY;COUNT=3"]
)
def test_a_series_ends_on_the_day_it_names(rule: str) -> None:
    school_calendar = calendar(event(START, END, f"RRULE:{rule}", "SUMMARY:Daily"))
    assert [bool(titles(school_calendar, MONDAY + timedelta(days=n))) for n in range(4)] == [
        1,
        1,
        1,
        0,
    ]


def test_windows_names_of_zones_and_floating_times_are_understood() -> None:
    windows = event(
        "DTSTART;TZID=W. Europe Standard Time:20260302T091500", "DURATION:PT45M", "SUMMARY:Windows"
    )
    floating = event("DTSTART:20260302T111500", "DTEND:20260302T120000", uid="2@s")
    first, second = calendar(windows, floating).on(MONDAY)
    assert first.start == datetime(2026, 3, 2, 8, 15, tzinfo=timezone.utc)
    assert first.end - first.start == timedelta(minutes=45)
    assert second.start == datetime(2026, 3, 2, 10, 15, tzinfo=timezone.utc)


def test_a_lesson_in_which_the_clocks_change_ends_by_the_clock() -> None:
    night = event(
        "DTSTART;TZID=Europe/Berlin:20261025T013000", "DTEND;TZID=Europe/Berlin:20261025T033000"
    )
    (one,) = calendar(night).on(date(2026, 10, 25))
    utc = [at.astimezone(timezone.utc) for at in (one.start, one.end)]
    assert utc[1] - utc[0] == timedelta(hours=3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Please sign in</html>",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        b"\x00\x01\x02",
        f"BEGIN:VCALENDAR\r\n{GOOD}BEGIN:VEVENT\r\nDTSTART:2026".encode(),
    ],
)
def test_what_is_no_whole_calendar_is_refused(content: bytes) -> None:
    with pytest.raises(UserError, match=r"lessons\.ics: not an iCalendar file"):
        Calendar(content, BERLIN, "lessons.ics")


@pytest.mark.skipif(not REPORTS.exists(), reason="the shared reports are not here")
@pytest.mark.parametrize(
    ("name", "start", "end", "ignored_count"),
    [
        ("cancelled.ics", None, None, 1),
        ("no-dtstart.ics", "09:15", "10:00", 1),
        ("bad-dtstart.ics", "09:15", "10:00", 1),
        ("overnight.ics", "23:30", "00:30", 0),
        ("loc-space.ics", "09:15", "10:00", 0),
    ],
)
def test_reports_from_the_field(
    name: str, start: str | None, end: str | None, ignored_count: int
) -> None:
    school_calendar = Calendar((REPORTS / name).read_bytes(), BERLIN, name)
    spans = [(f"{one.start:%H:%M}", f"{one.end:%H:%M}") for one in school_calendar.on(MONDAY)]
    assert spans == ([(start, end)] if start else [])
    assert len(school_calendar.faults) + len(school_calendar.ignored_on(MONDAY)) == ignored_count


PARTS = st.sampled_from(
    [
        START,
        END,
        "DTSTART;VALUE=DATE:20260302",
        "DTSTART:20260302T081500Z",
        "DTEND:99999999T999999",
        "DURATION:P1W2X",
        "DURATION:-PT1H",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,XX",
        "RRULE:FREQ=WEEKLY;UNTIL=20270101",
        "RRULE:COUNT=2",
        "RDATE;VALUE=PERIOD:20260303T081500Z/PT1H",
        "EXDATE;VALUE=DATE:20260302",
        "RECURRENCE-ID:20260302T081500Z",
        "STATUS:CANCELLED",
        "STATUS:CONFIRMED",
        "SEQUENCE:many",
        "SUMMARY;LANGUAGE=de:Öl",
        "LOCATION:R101",
        'ATTENDEE;CN="A:B',
        "NO COLON HERE",
        "X-ODD;A=;B:c",
        ":",
    ]
)


@settings(max_examples=150, deadline=None)
@given(faulty_events=st.lists(st.lists(PARTS, max_size=6), max_size=4), first=st.booleans())
def test_whatever_stands_beside_it_a_good_lesson_stays(
    faulty_events: list[list[str]], first: bool
) -> None:
    """And nothing that says it is cancelled takes place."""
    others = [event(*lines, uid=f"{n}@s") for n, lines in enumerate(faulty_events)]
    school_calendar = calendar(*([GOOD, *others] if first else [*others, GOOD]))
    lessons = school_calendar.on(MONDAY)
    assert "Good" in [str(one.event.get("SUMMARY")) for one in lessons]
    assert not [one for one in lessons if "CANCELLED" in str(one.event.get("STATUS"))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_in_every_encoding_that_programs_save(encoding: str) -> None:
    assert decode("Müller;9:15\r\n".encode(encoding)) == "Müller;9:15\r\n"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("20260302T000000", "20260303T000000"),
        ("20260302T000000", "20260302T235900"),
        ("20260302T080000", "20260303T080000"),
    ],
)
def test_a_whole_day_by_the_clock_is_no_lesson_either(start: str, end: str) -> None:
    zone = ";TZID=Europe/Berlin:"
    school_calendar = calendar(
        event(f"DTSTART{zone}{start}", f"DTEND{zone}{end}", "SUMMARY:Trip"), GOOD
    )
    assert titles(school_calendar) == ["Good"]


def test_whoever_else_declines_keeps_no_lesson_from_taking_place() -> None:
    line = "ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=DECLINED:mailto:ann@s.example"
    assert titles(calendar(event(START, END, "SUMMARY:On", line))) == ["On"]
