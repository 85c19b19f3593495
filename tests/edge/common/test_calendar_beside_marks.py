"""What stands beside a lesson in its room counts, however it is marked; what is private opens
nothing."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from edge.common.calendar import Calendar
from edge.common.places import key

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 9)
TIMES = (
    "DTSTART;TZID=Europe/Berlin:20260309T091500",
    "DTEND;TZID=Europe/Berlin:20260309T100000",
)
DAYS = ("DTSTART;VALUE=DATE:20260309", "DTEND;VALUE=DATE:20260310")
NOTE = ("SUMMARY:Klasse im Museum", "LOCATION:R101")


def event(uid: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}@x", *lines, "END:VEVENT", ""])


def series(title: str = "Mathe 7b", place: str = "R101", uid: str = "s", *lines: str) -> str:
    return event(
        uid,
        "DTSTART;TZID=Europe/Berlin:20260302T091500",
        "DTEND;TZID=Europe/Berlin:20260302T100000",
        f"SUMMARY:{title}",
        f"LOCATION:{place}",
        "RRULE:FREQ=WEEKLY;UNTIL=20260701T000000Z",
        *lines,
    )


def titles(*events: str, same: dict[str, str] | None = None) -> list[str]:
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    calendar = Calendar(text.encode(), BERLIN, "lessons.ics", same=same)
    return sorted(str(one.event.get("SUMMARY")) for one in calendar.on(MONDAY))


PHYSICS = series("Physik", "R102", "p")


def test_without_a_note_both_take_place() -> None:
    assert titles(series(), PHYSICS) == ["Mathe 7b", "Physik"]


@pytest.mark.parametrize(
    "mark",
    [
        *("TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE", "STATUS:TENTATIVE"),
        *("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "STATUS:NEEDS-ACTION", "CLASS:PRIVATE", "X-NONE:1"),
    ],
)
@pytest.mark.parametrize(
    "times", [TIMES, TIMES[:1], DAYS, (TIMES[0], TIMES[0].replace("ST", "END"))]
)
def test_a_note_shuts_the_lesson_however_it_is_marked(mark: str, times: tuple[str, ...]) -> None:
    assert titles(series(), PHYSICS, event("n", *times, *NOTE, mark)) == ["Physik"]


@pytest.mark.parametrize(
    "title",
    [
        *("MA 7b entfällt", "Ma entfällt", "Herr Müller krank", "Keine Schüler", "No students"),
        *("Kein Betrieb", "Canceled event", "Alles entfällt", "Xyzzy"),
    ],
)
@pytest.mark.parametrize("times", [TIMES, DAYS])
def test_a_known_word_shuts_no_less_than_an_unknown_one(title: str, times: tuple[str, ...]) -> None:
    note = event("n", *times, f"SUMMARY:{title}", "LOCATION:R101")
    assert titles(series(), PHYSICS, note) == ["Physik"]


def test_what_was_cancelled_or_declined_says_nothing() -> None:
    off = event("n", *TIMES, *NOTE, "STATUS:CANCELLED")
    declined = event("d", *TIMES, *NOTE, "ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED:mailto:r@x.org")
    assert titles(series(), off, declined) == ["Mathe 7b"]


@pytest.mark.parametrize(
    "lines",
    [
        ("SUMMARY:Gespräch mit Eltern", "CLASS:PRIVATE"),
        ("SUMMARY:Gespräch mit Eltern", "CLASS:CONFIDENTIAL"),
        *((f"SUMMARY:{title}",) for title in ("Busy", "Belegt", "Privat", "KW 11", "Aufsicht")),
        ("SUMMARY:Geburtstag Frau Müller",),
    ],
)
def test_what_is_private_or_no_lesson_opens_nothing(lines: tuple[str, ...]) -> None:
    assert titles(event("n", *TIMES, *lines, "LOCATION:R101"), PHYSICS) == ["Physik"]


def test_a_calendar_without_titles_opens_for_what_is_there_every_week() -> None:
    assert titles(series("Busy")) == ["Busy"]


@pytest.mark.parametrize(
    ("lines", "change", "is_open"),
    [
        (("STATUS:CANCELLED", "SEQUENCE:5"), "SEQUENCE:1", False),
        (("STATUS:CANCELLED",), "SEQUENCE:0", False),
        (("STATUS:CANCELLED", "SEQUENCE:1"), "SEQUENCE:2", True),
        ((), "SEQUENCE:0", True),
    ],
)
def test_a_series_that_was_cancelled_takes_earlier_changes_with_it(
    lines: tuple[str, ...], change: str, is_open: bool
) -> None:
    occurrence = "RECURRENCE-ID;TZID=Europe/Berlin:20260309T091500"
    changes = event("s", occurrence, *TIMES, "SUMMARY:Mathe 7b", "LOCATION:R101", change)
    assert titles(series("Mathe 7b", "R101", "s", *lines), changes) == ["Mathe 7b"] * is_open


def test_a_changed_occurrence_after_the_last_one_is_none() -> None:
    ends = series().replace("20260701T000000Z", "20260303T000000Z")
    occurrence = "RECURRENCE-ID;TZID=Europe/Berlin:20260309T091500"
    change = event("s", occurrence, *TIMES, "SUMMARY:Mathe 7b", "LOCATION:R101")
    assert titles(ends, change) == []


def test_a_note_may_write_the_room_otherwise() -> None:
    note = event("n", *TIMES, *NOTE)
    lesson = series(place="Optics lab")
    assert titles(lesson, PHYSICS, note) == ["Klasse im Museum", "Mathe 7b", "Physik"]
    same = {key("Optics lab"): "r101", key("R101"): "r101"}
    assert titles(lesson, PHYSICS, note, same=same) == ["Physik"]


@pytest.mark.parametrize(
    "title",
    [
        *("Osterferien (bis Freitag)", "Ferien bis Freitag", "Schulfrei bis Mittwoch"),
        *("Kein Unterricht bis einschließlich Donnerstag", "Vacaciones hasta el viernes"),
        *("No school through Friday", "Half term - school resumes Tuesday", "Ferien bis morgen"),
        *("Ferien, erster Schultag Dienstag", "Vacances - reprise le lundi"),
    ],
)
@pytest.mark.parametrize("end", ["20260314", "20260310"])
def test_holidays_that_name_their_last_day(title: str, end: str) -> None:
    days = ("DTSTART;VALUE=DATE:20260309", f"DTEND;VALUE=DATE:{end}", f"SUMMARY:{title}")
    assert titles(series(), PHYSICS, event("h", *days)) == []


def test_of_two_events_that_share_a_uid_the_older_version_is_named() -> None:
    days = "DTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\nSUMMARY:Ferientag\r\nSEQUENCE:{}"
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
    text += event("h", days.format("20260309", "20260310", 0))
    text += event("h", days.format("20260401", "20260402", 1)) + "END:VCALENDAR\r\n"
    holidays = Calendar(text.encode(), BERLIN, "holidays.ics")
    assert ["higher SEQUENCE" in one.why for one in holidays.faults] == [True]
    assert holidays.any_on(MONDAY)
    assert holidays.any_on(date(2026, 4, 1))


@pytest.mark.parametrize(
    "fault",
    [
        *("DTEND;VALUE=DATE:20260308", "DTEND:never", "DTEND:20260309T100000", "RRULE:FREQ=YEARL"),
        *("STATUS:CONFIRMED\r\nSTATUS:CONFIRMED", "SEQUENCE:x", "DTEND;VALUE=DATE:20300101"),
    ],
)
def test_a_holiday_with_a_fault_is_one_on_its_first_day(fault: str) -> None:
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
    text += event("h", "DTSTART;VALUE=DATE:20260309", fault, "SUMMARY:Osterferien")
    holidays = Calendar((text + "END:VCALENDAR\r\n").encode(), BERLIN, "holidays.ics")
    assert holidays.faults
    assert holidays.any_on(MONDAY)
    assert not holidays.any_on(date(2026, 3, 12))
