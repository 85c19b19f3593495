"""What a faulty property, or a faulty occurrence, leaves of the calendar around it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from collector.lessons.timetable import Timetable
from tests.edge.common.test_calendar_faults import (
    DAILY,
    GOOD,
    KEEPS,
    MONDAY,
    SPAN,
    event,
    file,
    parse,
    titles,
    zone,
)

SECOND, THIRD = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
WHICH = "RECURRENCE-ID;TZID=Europe/Berlin:20260303T091500"
NEW_TIME = (
    "DTSTART;TZID=Europe/Berlin:20260303T111500",
    "DTEND;TZID=Europe/Berlin:20260303T120000",
)


@pytest.mark.parametrize(
    "lines",
    [
        *[("STATUS:CANCELLED",), ("STATUS:CONFIRMED",), ("DTSTART:soon", NEW_TIME[1])],
        *[
            ("DTSTART;TZID=Mars/X:20260303T111500", NEW_TIME[1]),
            (NEW_TIME[0], NEW_TIME[0], NEW_TIME[1]),
        ],
        *[(NEW_TIME[1].replace("DTEND", "DTSTART"), NEW_TIME[0].replace("DTSTART", "DTEND"))],
        *[(*NEW_TIME, "SEQUENCE:many"), (NEW_TIME[0], "DTEND:later")],
    ],
)
def test_an_occurrence_that_cannot_be_read_is_off_and_its_series_goes_on(
    lines: tuple[str, ...],
) -> None:
    series = event(*SPAN, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Daily", uid="daily@s")
    table = parse(file(series + event(WHICH, *lines, "SUMMARY:Daily", uid="daily@s")))
    assert [len(table.on(day)) for day in (MONDAY, SECOND, THIRD)] == [1, 0, 1]
    (fault,) = table.faults
    assert fault.event == "Daily (2026-03-03)"


@pytest.mark.parametrize(
    "which",
    [
        *("RECURRENCE-ID:soon", "RECURRENCE-ID;TZID=Mars/X:20260303T091500"),
        f"{WHICH}\r\n{WHICH}",
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260303T091500",
    ],
)
def test_where_it_does_not_say_which_it_is_the_series_is_shut(which: str) -> None:
    series = event(*SPAN, "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Daily", uid="daily@s")
    table = parse(file(series + event(which, "DTSTART:soon", "SUMMARY:Daily", uid="daily@s")))
    assert [len(table.on(day)) for day in (MONDAY, SECOND, THIRD)] == [0, 0, 0]
    assert len(table.faults) == 1


@pytest.mark.parametrize(
    "name", ["SUMMARY", "LOCATION", "CATEGORIES", "DESCRIPTION", "ATTENDEE", "ORGANIZER", "STATUS"]
)
@pytest.mark.parametrize(
    "value",
    [";VALUE=DATE:20260332T091500", ";VALUE=PERIOD:soon", ";VALUE=DURATION:x", ";VALUE=INTEGER:y"],
)
def test_a_text_of_another_type_leaves_the_others(tmp_path: Path, name: str, value: str) -> None:
    """The library gives it as an object that raises errors of its own wherever it is touched."""
    text = file(event(*SPAN, f"{name}{value}", uid="faulty@s"), *KEEPS)
    assert [str(one.event.get("SUMMARY")) for one in parse(text).on(MONDAY)].count("Good") == 3
    path = tmp_path / "t.ics"
    path.write_text(text.replace("SUMMARY:Good", "LOCATION:R1\r\nSUMMARY:Good"), newline="")
    titles = [one.title for one in Timetable(path, "Europe/Berlin").on(MONDAY)[0]]
    assert titles.count("Good") == 3


def test_two_zones_of_one_name_are_none() -> None:
    """What a merged export has of two programs: which of them is meant nobody knows."""
    text = file(
        zone("Twice"),
        zone("Twice", before="+0500"),
        event(
            "DTSTART;TZID=Twice:20260302T091500",
            "DTEND;TZID=Twice:20260302T100000",
            "SUMMARY:Odd",
            uid="odd",
        ),
        GOOD,
    )
    table = parse(text)
    assert [str(one.event["SUMMARY"]) for one in table.on(MONDAY)] == ["Good"]
    assert ("Twice", "a time zone that cannot be read") in table.faults
    assert titles(file(zone("Once"), zone("Once"), GOOD)) == ["Good 09:15"]


def test_zones_of_one_name_in_two_files_are_two() -> None:
    lines = ("DTSTART;TZID=Ours:20260302T091500", "DTEND;TZID=Ours:20260302T100000", "SUMMARY:A")
    for before, time in (("+0100", "A 09:15"), ("+0300", "A 07:15"), ("+0100", "A 09:15")):
        assert titles(file(zone("Ours", before=before), event(*lines))) == [time]


def test_a_blank_after_a_uid_makes_no_other_event() -> None:
    series = event(*SPAN, DAILY, "SUMMARY:Off", uid="a@s")
    change = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260302T091500", *SPAN, "STATUS:CANCELLED", uid="a@s "
    )
    assert titles(file(series, change)) == []


def test_an_empty_status_says_nothing() -> None:
    assert titles(file(event(*SPAN, "STATUS:", "SUMMARY:Good"))) == ["Good 09:15"]


def test_of_an_address_in_a_calendar_the_host_alone_is_shown() -> None:
    meeting = "https://zoom.example/j/1?pwd=hunter2"
    text = file(event(*SPAN, f"SUMMARY:Meeting {meeting}", "STATUS:CANCELLED"))
    ignored_events = parse(text).ignored_on(MONDAY)
    assert "hunter2" not in str(ignored_events)
    assert "zoom.example" in str(ignored_events)
