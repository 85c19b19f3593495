"""When the camera may be open: lesson times in the room's time zone, less holidays.

From YAML or iCalendar files. What cannot be known keeps the camera closed: an unsynchronised clock,
a calendar that cannot be read, an event that does not say that it takes place.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.calendar import Calendar, IgnoredEvent
from edge.common.errors import UserError
from edge.permission.schedule_settings import LessonTimes, ScheduleSettings

log = logging.getLogger(__name__)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Closed = Literal["schedule", "clock"]


class Span(NamedTuple):
    """From `start` up to `end`, both aware."""

    start: datetime
    end: datetime


class DayPlan(NamedTuple):
    """What a day's lessons are, and which events count as none."""

    spans: list[Span]
    ignored: list[IgnoredEvent]


class Schedule:
    """Made from settings, raising UserError for a calendar that cannot be read."""

    def __init__(self, settings: ScheduleSettings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        files = (settings.calendar, settings.holidays_calendar)
        self._calendars = {path: self._read(path) for path in files if path}
        self._read_at = self._changed()
        self._day: date | None = None
        self._spans: list[Span] = []
        self._unreadable = False
        """Whether a calendar changed and could not be read since; then nothing opens."""

    def closed(self, now: datetime, synced: bool) -> Closed | None:
        """Why the camera must be closed at `now`, or None where a lesson is on."""
        if self._settings.needs_synced_clock and not synced:
            return "clock"
        local = now.astimezone(self._zone)
        if local.date() != self._day or self._changed() != self._read_at:
            self._day, self._spans = local.date(), self._plan(local.date())
        moment = now.astimezone(timezone.utc)  # times of one zone compare by the clock on the wall
        return None if any(span.start <= moment < span.end for span in self._spans) else "schedule"

    def on(self, day: date) -> DayPlan:
        """The lessons that touch a day, as the calendars are now."""
        if self._is_holiday(day):
            return DayPlan([], [IgnoredEvent("the day's lessons", "holiday")])
        listed = self._listed(day)
        ignored: list[IgnoredEvent] = []
        if self._settings.calendar is not None:
            calendar = self._calendars[self._settings.calendar]
            listed += [Span(one.start, one.end) for one in calendar.on(day)]
            ignored = calendar.ignored_on(day)
        return DayPlan(sorted(listed), ignored)

    @property
    def faults(self) -> list[IgnoredEvent]:
        """Events of the calendars that cannot be read."""
        return [fault for calendar in self._calendars.values() for fault in calendar.faults]

    def _plan(self, day: date) -> list[Span]:
        changed = self._changed()
        if changed != self._read_at:
            self._read_at = changed
            try:
                self._calendars = {path: self._read(path) for path in self._calendars}
                self._unreadable = False
            except UserError as error:
                log.error(
                    "%s; paused until it can be read",
                    error,
                )
                self._unreadable = True
        return [] if self._unreadable else self.on(day).spans

    def _is_holiday(self, day: date) -> bool:
        if any(holiday.first <= day <= holiday.last for holiday in self._settings.holidays):
            return True
        path = self._settings.holidays_calendar
        return bool(path and self._calendars[path].any_on(day))

    def _listed(self, day: date) -> list[Span]:
        """The settings' times that begin on the day, or reach into it over midnight."""
        begins = [
            (begin, lesson)
            for begin in (day - timedelta(days=1), day)
            for lesson in self._settings.lessons
            if DAYS[begin.weekday()] in lesson.days and (begin == day or lesson.overnight)
        ]
        return [self._span(begin, lesson) for begin, lesson in begins]

    def _span(self, day: date, lesson: LessonTimes) -> Span:
        last = day + timedelta(days=1) if lesson.overnight else day
        return Span(self._at(day, lesson.start), self._at(last, lesson.end))

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self._zone)

    def _changed(self) -> tuple[int, ...]:
        """When the calendars were written; a missing one counts as changed."""
        return tuple(p.stat().st_mtime_ns if p.exists() else 0 for p in self._calendars)

    def _read(self, path: Path) -> Calendar:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"cannot be read ({error.strerror})", path, "check 'schedule'"
            ) from None
        return Calendar(content, self._zone, str(path), tentative=self._settings.tentative)
