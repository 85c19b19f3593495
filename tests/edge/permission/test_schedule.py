from __future__ import annotations

import os
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.common.calendar import Calendar
from edge.common.errors import UserError
from edge.common.places import RoomPlace
from edge.common.settings import load
from edge.config import AgentSettings
from edge.permission.schedule import Schedule
from edge.permission.schedule_settings import ScheduleSettings

MORNINGS = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "end": "12:30"}

LESSONS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//school//timetable//EN
BEGIN:VEVENT
UID:1@school
DTSTAMP:20260901T000000Z
DTSTART;TZID=Europe/Berlin:20260907T080000
DTEND;TZID=Europe/Berlin:20260907T084500
RRULE:FREQ=WEEKLY;UNTIL=20270730T000000Z
EXDATE;TZID=Europe/Berlin:20260914T080000
SUMMARY:Physics
END:VEVENT
BEGIN:VEVENT
UID:2@school
DTSTAMP:20260901T000000Z
DTSTART:20260908T100000
DTEND:20260908T104500
SUMMARY:Floating time
END:VEVENT
BEGIN:VEVENT
UID:3@school
DTSTAMP:20260901T000000Z
DTSTART;VALUE=DATE:20260909
DTEND;VALUE=DATE:20260910
SUMMARY:A whole day opens nothing
END:VEVENT
END:VCALENDAR
"""

HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//ministry//holidays//EN
BEGIN:VEVENT
UID:h@school
DTSTAMP:20260901T000000Z
DTSTART;VALUE=DATE:20261221
DTEND;VALUE=DATE:20270107
SUMMARY:Christmas
END:VEVENT
END:VCALENDAR
"""


def at(text: str) -> datetime:
    """UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def schedule(**settings: Any) -> Schedule:
    return Schedule(
        ScheduleSettings.model_validate({"timezone": "Europe/Berlin"} | settings),
        RoomPlace("school", "r101"),
    )


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("2026-03-02T06:59:59", "schedule"),  # winter: Berlin is an hour ahead
        ("2026-03-02T07:00:00", None),
        ("2026-03-02T11:29:59", None),
        ("2026-03-02T11:30:00", "schedule"),
        ("2026-03-30T05:59:59", "schedule"),  # the Monday after the clocks went forward
        ("2026-03-30T06:00:00", None),
        ("2026-10-26T06:59:59", "schedule"),  # and after they went back
        ("2026-10-26T07:00:00", None),
        ("2028-02-29T08:00:00", None),  # a leap day, a Tuesday
        ("2026-03-01T08:00:00", "schedule"),  # a Sunday
    ],
)
def test_lesson_times_are_the_rooms(when: str, reason: str | None) -> None:
    assert schedule(lessons=[MORNINGS]).close_reason(at(when), is_synced=True) == reason


@pytest.mark.parametrize("holiday", ["2026-03-02", "2026-02-28/2026-03-02"])
def test_holidays_have_no_lessons(holiday: str) -> None:
    timetable = schedule(lessons=[MORNINGS], holidays=[holiday])
    assert timetable.close_reason(at("2026-03-02T08:00"), is_synced=True) == "schedule"
    assert timetable.close_reason(at("2026-03-03T08:00"), is_synced=True) is None


def test_without_a_synchronised_clock_it_is_closed() -> None:
    lesson = at("2026-03-02T08:00")
    assert schedule(lessons=[MORNINGS]).close_reason(lesson, is_synced=False) == "clock"
    trusting = schedule(lessons=[MORNINGS], needs_synced_clock=False)
    assert trusting.close_reason(lesson, is_synced=False) is None


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("2026-09-07T06:00", None),
        ("2026-09-07T06:45", "schedule"),
        ("2026-09-14T06:10", "schedule"),  # left out by EXDATE
        ("2026-11-23T07:10", None),  # weekly, in winter time
        ("2026-09-08T08:10", None),  # floating: 10:10 in Berlin
        ("2026-09-09T08:10", "schedule"),
        ("2026-12-28T07:10", "schedule"),  # a holiday
        ("2027-01-11T07:10", None),
    ],
)
def test_calendars(tmp_path: Path, when: str, reason: str | None) -> None:
    (tmp_path / "lessons.ics").write_text(LESSONS)
    (tmp_path / "holidays.ics").write_text(HOLIDAYS)
    timetable = schedule(
        calendar=tmp_path / "lessons.ics", holidays_calendar=tmp_path / "holidays.ics"
    )
    assert timetable.close_reason(at(when), is_synced=True) == reason


def test_a_calendar_that_changes_is_read_again_and_one_that_goes_closes(tmp_path: Path) -> None:
    path = tmp_path / "lessons.ics"
    path.write_text(LESSONS)
    timetable = schedule(calendar=path)
    lesson = at("2026-09-07T06:10")
    assert timetable.close_reason(lesson, is_synced=True) is None
    path.write_text(LESSONS.replace("20260907T08", "20260907T09"))
    assert timetable.close_reason(lesson, is_synced=True) == "schedule"
    path.write_text(LESSONS)
    assert timetable.close_reason(lesson, is_synced=True) is None
    path.unlink()
    assert timetable.close_reason(lesson, is_synced=True) == "schedule"


@pytest.mark.parametrize("content", [None, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "no calendar"])
def test_a_calendar_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "lessons.ics"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"lessons\.ics"):
        schedule(calendar=path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timezone": "Europe/Atlantis"}, "no such time zone"),
        ({"timezone": "../etc/passwd"}, "no such time zone"),
        ({"lessons": []}, "there are no lessons: set 'lessons' or 'calendar'"),
        ({"lessons": [MORNINGS | {"end": "07:00"}]}, "not after start"),
        ({"lessons": [MORNINGS | {"days": ["montag"]}]}, "mon"),
        ({"holidays": ["Christmas"]}, "not a day, Christmas: write it as in 2026-12-21"),
        ({"holidays": ["21.12.2026/6.1.2027"]}, "not a day, 21.12.2026"),
        ({"holidays": ["2027-01-06/2026-12-21"]}, "swap the two days"),
        ({"holidays": [{"first": "2027-01-06", "last": "2026-12-21"}]}, "swap the two days"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes: dict[str, Any], words: str) -> None:
    content = {"timezone": "Europe/Berlin", "lessons": [MORNINGS]} | changes
    with pytest.raises(ValidationError, match=words):
        ScheduleSettings.model_validate(content)


def test_yaml_may_leave_the_quotes_out(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "site: school\nroom: r101\nstate: s\nschedule:\n  timezone: UTC\n"
        "  lessons: [{days: [mon], start: 10:15, end: 12:30}]\n  holidays: [2026-03-09]\n"
    )
    settings = load(AgentSettings, path)
    assert settings.schedule is not None
    timetable = Schedule(settings.schedule, RoomPlace("school", "r101"))
    assert timetable.close_reason(at("2026-03-02T10:15"), is_synced=True) is None
    assert timetable.close_reason(at("2026-03-02T12:30"), is_synced=True) == "schedule"
    assert timetable.close_reason(at("2026-03-09T10:15"), is_synced=True) == "schedule"


def test_an_event_with_a_fault_leaves_the_others_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lessons.ics"
    path.write_text(LESSONS.replace("DTSTART:20260908T100000\n", ""))
    timetable = schedule(calendar=path)
    assert timetable.close_reason(at("2026-09-07T06:10"), is_synced=True) is None
    assert [fault.why for fault in timetable.faults] == ["no DTSTART"]


def test_a_cancelled_lesson_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lessons.ics"
    path.write_text(LESSONS.replace("SUMMARY:Physics", "SUMMARY:Physics\nSTATUS:CANCELLED"))
    assert (
        schedule(calendar=path).close_reason(at("2026-09-07T06:10"), is_synced=True) == "schedule"
    )


def test_a_calendar_that_broke_keeps_it_closed_on_the_days_after(tmp_path: Path) -> None:
    path = tmp_path / "lessons.ics"
    path.write_text(LESSONS)
    timetable = schedule(calendar=path)
    assert timetable.close_reason(at("2026-09-07T06:10"), is_synced=True) is None
    path.write_text("no calendar")
    assert timetable.close_reason(at("2026-09-07T06:10"), is_synced=True) == "schedule"
    assert timetable.close_reason(at("2026-09-21T06:10"), is_synced=True) == "schedule"


@pytest.mark.parametrize(
    ("start", "end"), [("23:30", "00:30"), ("22:00", "24:00"), ("20:00", "08:00")]
)
def test_lessons_over_midnight(start: str, end: str) -> None:
    timetable = schedule(lessons=[{"days": ["mon"], "start": start, "end": end}])
    assert timetable.close_reason(at("2026-03-02T22:45"), is_synced=True) is None  # 23:45 on Monday
    sunday = timetable.close_reason(at("2026-03-01T22:45"), is_synced=True)
    assert sunday == "schedule"
    late = timetable.close_reason(at("2026-03-02T23:15"), is_synced=True)  # 0:15 on Tuesday
    assert late == ("schedule" if end == "24:00" else None)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("8:30", "08:30"),
        ("08:30", "08:30"),
        ('"8:30"', "08:30"),
        ("8", "08:00"),
        ("13:50", "13:50"),
    ],
)
def test_times_as_yaml_makes_them_mean_what_a_person_means(
    tmp_path: Path, text: str, means: str
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "site: school\nroom: r101\nstate: s\nschedule:\n  timezone: UTC\n"
        f"  lessons: [{{days: [mon], start: {text}, end: 20:00}}]\n"
    )
    settings = load(AgentSettings, path)
    assert settings.schedule is not None
    assert f"{settings.schedule.lessons[0].start:%H:%M}" == means


@pytest.mark.parametrize("text", ["8.30", "0.30", "830", "25:00", "8:60", "half past eight"])
def test_times_that_may_mean_two_things_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "site: school\nroom: r101\nstate: s\nschedule:\n  timezone: UTC\n"
        f"  lessons: [{{days: [mon], start: {text}, end: 20:00}}]\n"
    )
    with pytest.raises(UserError, match=r"start.*not a time of day.*as in \"0[08]:30\""):
        load(AgentSettings, path)


def test_a_calendar_is_read_when_it_changes_and_not_at_every_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    days: list[date] = []

    class Counting(Calendar):
        def __init__(self, content: bytes, *more: Any, **settings: Any) -> None:
            reads.append(len(content))
            super().__init__(content, *more, **settings)

        def _occurrences_on(self, day: date) -> Any:
            days.append(day)
            return super()._occurrences_on(day)

    monkeypatch.setattr("edge.permission.schedule.Calendar", Counting)
    path = tmp_path / "lessons.ics"
    path.write_text(LESSONS)
    times = schedule(calendar=path)
    monday = at("2026-09-07T06:00:00")
    times.close_reason(monday + timedelta(days=1), True)  # the weeks around it
    reads.clear()
    days.clear()
    looks = [
        times.close_reason(monday + timedelta(minutes=minute), True) for minute in range(0, 90, 5)
    ]
    assert looks == [None] * 9 + ["schedule"] * 9
    assert (len(reads), len(days)) == (0, 1)
    new = tmp_path / "new.ics"  # with the time of the old one, as `cp -p` and rsync leave it
    new.write_text(LESSONS.replace("SUMMARY:Physics", "SUMMARY:Physics\nSTATUS:CANCELLED"))
    stamp = path.stat()
    os.utime(new, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    new.replace(path)
    assert times.close_reason(monday, True) == "schedule"
    assert len(reads) == 1
