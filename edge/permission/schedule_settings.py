"""The settings of a schedule: lesson times as people write them, holidays, calendars."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from edge.common.calendar_sources import CalendarPlace
from edge.common.errors import SettingError
from edge.common.holidays import HolidaySpan
from edge.common.school_day import OVERNIGHT_H, TimeZone
from edge.common.settings import Section

HOURS_AND_PART = re.compile(r"([01]?\d|2[0-3])\.([0-5]\d?)")
HOUR = re.compile(r"[01]?\d|2[0-3]")
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?|(24):(00)(?::00)?")


def _guess(value: object) -> str:
    """What somebody who wrote 8.30, or 8.3, may have meant."""
    match = HOURS_AND_PART.fullmatch(str(value).strip())
    if match is None:
        return 'as in "08:30"'
    return f'as in "{int(match[1]):02}:{match[2].ljust(2, "0")}" if that is what you mean'


def _clock(value: object) -> object:
    """A time of day as people write it: 8:30, 08:30, 24:00 for midnight, or 8 for eight o'clock."""
    if isinstance(value, time):
        return value
    text = str(value).strip()
    if HOUR.fullmatch(text):
        return time(int(text))
    match = CLOCK.fullmatch(text)
    if match is None:
        raise SettingError(
            f"not a time of day, {text}", f"write hours and minutes, {_guess(value)}"
        )
    hour, minute = (int(part) for part in match.groups() if part is not None)
    return time(hour % 24, minute)


Clock = Annotated[time, BeforeValidator(_clock)]


def _weekday(value: object) -> object:
    """`Monday` and `Mon` are `mon`."""
    text = str(value).strip().lower()
    return text[:3] if text in WEEKDAYS else value


WEEKDAYS = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
WEEKDAYS |= {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
Weekday = Annotated[
    Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], BeforeValidator(_weekday)
]


class LessonTimes(Section):
    """A time of day on some days of every week."""

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _check_order(self) -> LessonTimes:
        begin, end = (clock.hour * 60 + clock.minute for clock in (self.start, self.end))
        to_midnight = end == 0 < begin
        if end <= begin and not to_midnight and end + 24 * 60 - begin > OVERNIGHT_H * 60:
            raise SettingError(
                f"end, {self.end:%H:%M}, is not after start, {self.start:%H:%M}",
                f"choose a later end; past midnight a lesson lasts {OVERNIGHT_H} hours at most",
            )
        return self

    @property
    def overnight(self) -> bool:
        """Whether it ends on the day after it began."""
        return self.end <= self.start


class ScheduleSettings(Section):
    """The camera is open only during lessons; at all other times the agent is paused."""

    timezone: TimeZone
    """As in `Europe/Berlin`."""
    lessons: tuple[LessonTimes, ...] = ()
    calendar: CalendarPlace | None = None
    """An iCalendar file, or its https address, whose events are the lessons."""
    calendar_rooms: tuple[str, ...] = ()
    """How the calendar writes this room, where it holds several and its name does not show it."""
    holidays: tuple[HolidaySpan, ...] = ()
    holidays_calendar: CalendarPlace | None = None
    """The same; on the days of its events there are no lessons."""
    tentative: bool = False
    """Whether events marked as tentative open the camera too."""
    harmless: tuple[str, ...] = ()
    """Titles of events that say nothing of a lesson beside them, `*` for any letters."""
    needs_synced_clock: bool = True
    """Without a synchronised clock nobody knows whether it is a lesson, and the agent is paused."""

    @model_validator(mode="after")
    def _has_lessons(self) -> ScheduleSettings:
        if not self.lessons and self.calendar is None:
            raise SettingError("there are no lessons", "set 'lessons' or 'calendar'")
        if self.calendar is not None and self.calendar == self.holidays_calendar:
            raise SettingError(
                "one calendar has the lessons and the holidays, so no day has a lesson",
                "set 'calendar' and 'holidays_calendar' to different ones",
            )
        return self
