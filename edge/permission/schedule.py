"""When the camera may be open: lesson times in the room's time zone, less holidays.

From YAML or iCalendar files. What cannot be known keeps the camera closed: an unsynchronised clock,
a calendar that cannot be read.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.errors import Refusal
from edge.config import ScheduleSettings

log = logging.getLogger(__name__)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Closed = Literal["schedule", "clock"]


class Span(NamedTuple):
    """From `start` up to `end`, both aware."""

    start: datetime
    end: datetime


class Schedule:
    """Made from settings, raising Refusal for a calendar that cannot be read."""

    def __init__(self, settings: ScheduleSettings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        files = (settings.calendar, settings.holidays_calendar)
        self._calendars = {path: _read(path) for path in files if path}
        self._read_at = self._changed()
        self._day: date | None = None
        self._spans: list[Span] = []

    def closed(self, now: datetime, synced: bool) -> Closed | None:
        """Why the camera must be closed at `now`, or None where a lesson is on."""
        if self._settings.needs_synced_clock and not synced:
            return "clock"
        local = now.astimezone(self._zone)
        if local.date() != self._day or self._changed() != self._read_at:
            self._plan(local.date())
        return None if any(span.start <= now < span.end for span in self._spans) else "schedule"

    def _plan(self, day: date) -> None:
        changed = self._changed()
        if changed != self._read_at:
            try:
                self._calendars = {path: _read(path) for path in self._calendars}
            except Refusal as refusal:
                log.error("%s; paused until it can", refusal)
                self._day, self._spans, self._read_at = day, [], changed
                return
        self._spans = [] if self._is_holiday(day) else [*self._listed(day), *self._in_calendar(day)]
        self._day, self._read_at = day, changed

    def _is_holiday(self, day: date) -> bool:
        if any(holiday.first <= day <= holiday.last for holiday in self._settings.holidays):
            return True
        path = self._settings.holidays_calendar
        return bool(path and self._calendars[path].at(day))

    def _listed(self, day: date) -> list[Span]:
        return [
            Span(self._at(day, lesson.start), self._at(day, lesson.end))
            for lesson in self._settings.lessons
            if DAYS[day.weekday()] in lesson.days
        ]

    def _in_calendar(self, day: date) -> list[Span]:
        """The calendar's events of the day; an event of whole days opens nothing."""
        path = self._settings.calendar
        if path is None:
            return []
        begin = self._at(day, time())
        events = self._calendars[path].between(begin, begin + timedelta(days=1))
        spans = [(event["DTSTART"].dt, event["DTEND"].dt) for event in events if "DTEND" in event]
        return [
            Span(self._aware(start), self._aware(end))
            for start, end in spans
            if isinstance(start, datetime) and isinstance(end, datetime)
        ]

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self._zone)

    def _aware(self, at: datetime) -> datetime:
        """A calendar's floating time is the room's."""
        return at if at.tzinfo else at.replace(tzinfo=self._zone)

    def _changed(self) -> tuple[int, ...]:
        """When the calendars were written; a missing one counts as changed."""
        return tuple(p.stat().st_mtime_ns if p.exists() else 0 for p in self._calendars)


def _read(path: Path) -> Any:
    """A calendar's events, recurring ones too, to be asked for by day."""
    try:
        import icalendar
        import recurring_ical_events
    except ModuleNotFoundError as missing:
        raise Refusal(
            f"schedule: {missing.name} is missing, which reads {path}: "
            "pip install 'roommood[calendar]'"
        ) from None
    try:
        return recurring_ical_events.of(icalendar.Calendar.from_ical(path.read_bytes()))
    except OSError as error:
        raise Refusal(f"{path}: cannot be read ({error.strerror}): check 'schedule'") from None
    except ValueError as error:
        raise Refusal(f"{path}: not an iCalendar file ({error}): export it again") from None
