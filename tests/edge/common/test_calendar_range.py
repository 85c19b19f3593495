"""Of a large calendar the weeks around today are read alone, and nothing else differs by it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.calendar import Calendar
from edge.common.calendar_range import DayRange, divide
from edge.common.places import RoomPlace
from edge.permission.schedule import Schedule, near
from edge.permission.schedule_settings import ScheduleSettings
from tests.edge.common.test_calendar_faults import (
    BERLIN,
    BLOCKS,
    CANCELLATIONS,
    KEEPS,
    MONDAY,
    event,
    file,
)

WEEKS = near(MONDAY)
DAYS = st.integers(-40, 60).map(lambda n: MONDAY + timedelta(days=n))
FORMS = st.sampled_from(["{}:{:%Y%m%d}T091500", "{};TZID=Europe/Berlin:{:%Y%m%d}T101500"])
WHOLE = st.sampled_from(["{};VALUE=DATE:{:%Y%m%d}"])
MORE = st.sampled_from(
    [
        *("RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;COUNT=40", "STATUS:CANCELLED", "SEQUENCE:2"),
        *("RECURRENCE-ID:20260302T091500", "DURATION:P30D", "RDATE:20260303T091500", "X-A:B"),
        *("LOCATION:R101", "LOCATION:R102\\, R103", "SUMMARY:Maths", "SUMMARY:Maths cancelled"),
    ]
)
UIDS = st.sampled_from(["a@s", "b@s", *(f"{n}@s" for n in range(20)), None])


@st.composite
def events(draw: st.DrawFn) -> str:
    """Anywhere in a third of a year, once or often, of one UID or another."""
    start, length = draw(DAYS), draw(st.sampled_from([0, 0, 0, 1, 50]))
    form = draw(st.one_of(FORMS, WHOLE))
    ends = [form.format("DTEND", start + timedelta(days=length))] if draw(st.booleans()) else []
    ends = [line.replace("T09", "T10").replace("T101500", "T111500") for line in ends]
    lines = [form.format("DTSTART", start), *ends, *draw(st.lists(MORE, max_size=3))]
    return event(*lines, uid=draw(UIDS))


@settings(max_examples=150, deadline=None)
@given(blocks=st.lists(st.one_of(events(), events(), BLOCKS), max_size=12), data=st.data())
def test_what_is_read_of_a_day_is_what_the_whole_file_says(
    blocks: list[str], data: st.DataObject
) -> None:
    text = file(*data.draw(st.permutations([*KEEPS, *CANCELLATIONS, *blocks]))).encode()
    whole = Calendar(text, BERLIN, "c.ics", logs=False)
    part = Calendar(text, BERLIN, "c.ics", logs=False, days=WEEKS)
    for day in (MONDAY, MONDAY + timedelta(days=6), data.draw(DAYS)):
        if WEEKS.first + timedelta(days=2) <= day <= WEEKS.last - timedelta(days=2):
            spans = [[one[:2] for one in calendar.on(day)] for calendar in (whole, part)]
            assert spans[0] == spans[1]
            assert whole.ignored_on(day) == part.ignored_on(day)
            assert whole.any_on(day) == part.any_on(day)
    assert part.is_empty == whole.is_empty


LINES = ("DTSTART:20250302T091500", "DTEND:20250302T100000", "UID:a", r"LOCATION:R1\, R2\nx")


@pytest.mark.parametrize(
    ("lines", "is_near"),
    [
        (LINES, False),
        (("DTSTART;VALUE=DATE:20250302", "DTEND;VALUE=DATE:20250303", "UID:a"), False),
        ((*LINES, "RRULE:FREQ=WEEKLY"), True),
        ((*LINES, "RDATE:20260302T091500"), True),
        ((*LINES, "RECURRENCE-ID:20260302T091500"), True),
        ((LINES[0], LINES[2]), True),
        ((LINES[0], "DURATION:P400D", LINES[2]), True),
        ((LINES[0], "DTEND:20270302T100000", LINES[2]), True),
        ((LINES[0], "DTEND:2025", LINES[2]), True),
        ((*LINES, LINES[0]), True),
        (LINES[:2], True),
        ((*LINES, "UID:b"), True),
    ],
)
def test_what_may_lie_in_the_range_is_read(lines: tuple[str, ...], is_near: bool) -> None:
    division = divide([lines], WEEKS)
    assert division.is_near == [is_near]
    is_timed = "VALUE=DATE" not in lines[0]
    assert division.places == ([] if is_near or not is_timed else ["R1, R2\nx"])
    assert divide([lines, lines], WEEKS).is_near == [True, True]  # two of one UID


def test_a_device_knows_every_place_and_reads_on_when_weeks_have_passed(tmp_path: Path) -> None:
    lessons = [
        event(
            f"DTSTART:{day:%Y%m%d}T091500", f"DTEND:{day:%Y%m%d}T100000", place, uid=f"{day}{place}"
        )
        for day in (date(2026, 3, 2) + timedelta(days=7 * n) for n in range(20))
        for place in ("LOCATION:Physics lab", "LOCATION:Hall")[: 2 if day.month == 3 else 1]
    ]
    calendar = tmp_path / "lessons.ics"
    calendar.write_text(file(*lessons), newline="")
    schedule = {"timezone": "UTC", "calendar": calendar, "needs_synced_clock": False}
    settings = ScheduleSettings.model_validate(schedule)
    with time_machine.travel(datetime(2026, 6, 1, 9, 30, tzinfo=timezone.utc)) as traveller:
        # Of June's weeks it has one place alone, which is not taken for the room for that.
        assert Schedule(settings, RoomPlace("s", "r101")).only_place == ""
        own = settings.model_copy(update={"calendar_rooms": ("Physics lab",)})
        timetable = Schedule(own, RoomPlace("s", "r101"))
        for weeks in range(4):
            now = datetime(2026, 6, 1, 9, 30, tzinfo=timezone.utc) + timedelta(days=7 * weeks)
            traveller.move_to(now)
            assert timetable.close_reason(now, True) is None
            assert timetable.close_reason(now + timedelta(days=1), True) == "schedule"
            traveller.move_to(now + timedelta(days=1))
            assert timetable.close_reason(now + timedelta(days=1), True) == "schedule"


def test_the_range_holds_the_days_around_any_day() -> None:
    for n in range(400):
        day = date(2026, 1, 1) + timedelta(days=n)
        weeks = near(day)
        assert isinstance(weeks, DayRange)
        assert weeks.first + timedelta(days=3) <= day <= weeks.last - timedelta(days=10)
