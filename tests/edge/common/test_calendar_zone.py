"""Time zones by names that the database does not have, and properties that say nothing."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.common.calendar import Calendar
from edge.common.calendar_zone import standard_name

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 30)


def calendar(*lines: str, zone: str = "Europe/Berlin", head: str = "") -> Calendar:
    event = [
        "BEGIN:VEVENT", "UID:1@s", "SUMMARY:Maths",
        f"DTSTART;TZID={zone}:20261130T090000", f"DTEND;TZID={zone}:20261130T100000",
        *lines, "END:VEVENT",
    ]  # fmt: skip
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", head, *event, "END:VCALENDAR", ""])
    return Calendar(text.encode(), BERLIN, "lessons.ics")


def hours(of: Calendar) -> list[str]:
    return [f"{one.start.astimezone(BERLIN):%H:%M}" for one in of.on(MONDAY)]


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        *(("europe/berlin", "09:00"), ("EUROPE/BERLIN", "09:00"), ('"Europe/Berlin"', "09:00")),
        *(('"UTC+01:00"', "09:00"), ('"(UTC+01:00)"', "09:00"), ('"+01:00"', "09:00")),
        *(("GMT+1", "09:00"), ("UTC-0500", "15:00"), ('"UTC+00:00"', "10:00"), ("+0200", "08:00")),
    ],
)
def test_a_zone_by_its_offset_or_in_other_letters(zone: str, hour: str) -> None:
    assert hours(calendar(zone=zone)) == [hour]


@pytest.mark.parametrize("zone", ["Mars/Olympus", '"UTC+05:45"', '"UTC+99:00"', "Our time"])
def test_an_unknown_zone_keeps_the_lesson_off_and_is_named(zone: str) -> None:
    of = calendar(zone=zone)
    assert hours(of) == []
    assert [one.why for one in of.faults] == [f"DTSTART: unknown time zone {zone.strip(chr(34))}"]


def test_a_zone_that_the_file_describes_is_the_one_described() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:UTC+01:00\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    )
    assert hours(calendar(zone='"UTC+01:00"', head=zone)) == ["07:00"]


@given(st.sampled_from(sorted(available_timezones())))
def test_a_name_of_the_database_is_itself_in_any_letters(name: str) -> None:
    assert standard_name(name) == name
    assert standard_name(name.upper()).casefold() == name.casefold()


@given(st.text(max_size=40))
def test_no_text_is_too_odd_for_a_name(text: str) -> None:
    assert standard_name(text) == text or standard_name(text) in available_timezones()


@pytest.mark.parametrize("lines", [("EXDATE:",), ("RDATE:",), ("EXDATE;VALUE=DATE:",)])
@pytest.mark.parametrize("rule", [(), ("RRULE:FREQ=WEEKLY",)])
def test_an_empty_property_says_that_there_is_none(
    lines: tuple[str, ...], rule: tuple[str, ...]
) -> None:
    of = calendar(*rule, *lines)
    assert hours(of) == ["09:00"]
    assert not of.faults


def test_an_occurrence_that_is_left_out_and_moved_stays_off_and_is_named() -> None:
    lines = (
        *("RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20261130T090000", "END:VEVENT"),
        *("BEGIN:VEVENT", "UID:1@s", "SUMMARY:Maths"),
        "RECURRENCE-ID;TZID=Europe/Berlin:20261130T090000",
        *("DTSTART;TZID=Europe/Berlin:20261130T110000", "DTEND;TZID=Europe/Berlin:20261130T120000"),
    )
    of = calendar(*lines)
    assert hours(of) == []
    assert ["leaves out (EXDATE)" in one.why for one in of.faults] == [True]


@pytest.mark.parametrize(
    ("text", "takes_place"),
    [
        *(("Maths entfällt heute", False), ("Bring books.\\nMaths is cancelled today.", False)),
        *(("Hausaufgaben entfallen heute", True), ("Chapter 3\\nPage 12", True)),
    ],
)
def test_a_line_below_that_calls_the_lesson_off_by_its_name(text: str, takes_place: bool) -> None:
    assert hours(calendar(f"DESCRIPTION:{text}")) == (["09:00"] if takes_place else [])
