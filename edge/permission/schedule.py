"""When the camera may be open: lesson times in the room's time zone, less holidays.

From YAML or iCalendar, in files or at https addresses. What cannot be known keeps the camera
closed: an unsynchronised clock, a calendar that cannot be read or was never fetched, an event that
does not say that it takes place.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.calendar import Calendar
from edge.common.calendar_beside import AFTER, BEFORE
from edge.common.calendar_event import IgnoredEvent, describe, place_of
from edge.common.calendar_range import DayRange
from edge.common.calendar_sources import (
    NO_LESSON,
    WITH_LESSONS,
    Check,
    Source,
    WebCalendar,
    WebSource,
    source,
)
from edge.common.errors import Problem, UserError
from edge.common.places import RoomPlace, key
from edge.permission.own_room import OwnRoom
from edge.permission.schedule_settings import LessonTimes, ScheduleSettings

log = logging.getLogger(__name__)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CloseReason = Literal["schedule", "clock"]


class Span(NamedTuple):
    """From `start` up to `end`, both aware."""

    start: datetime
    end: datetime


class DayPlan(NamedTuple):
    """What a day's lessons are, and which events count as none."""

    spans: list[Span]
    ignored_events: list[IgnoredEvent]
    elsewhere: Sequence[IgnoredEvent] = ()
    """Of the same: lessons, but not of this room."""


def near(day: date) -> DayRange:
    """The weeks around a day, the same for a week; lessons that touch the day lie well within."""
    monday = day - timedelta(days=day.weekday())
    return DayRange(monday - BEFORE, monday + timedelta(days=7) + AFTER)


class Schedule:
    """The lessons of a room, raising UserError for a calendar file that cannot be read.

    Of calendars at addresses the last good copies are in `folder`; `keeps` is False for a command
    that only looks.
    """

    def __init__(
        self,
        settings: ScheduleSettings,
        room: RoomPlace,
        folder: Path = Path(),
        *,
        keeps: bool = True,
    ) -> None:
        self._settings, self._room, self._keeps = settings, room, keeps
        self._zone = ZoneInfo(settings.timezone)
        places = (settings.calendar, settings.holidays_calendar)
        self._sources = {
            place: source(place, "schedule", folder, keeps=keeps) for place in places if place
        }
        self._calendars: dict[WebCalendar | Path, Calendar] = {}
        self._own: OwnRoom | None = None
        self._read_at: tuple[object, ...] = ()
        self._days: DayRange | None = None
        """Which are read: a command's too, or it would say otherwise than the agent does."""
        self._day: date | None = None
        self._spans: list[Span] = []
        self._unreadable = ""
        """Why a calendar is not there, or could not be read since it changed; nothing opens."""
        self._refresh(date.today(), starting=True)

    def close_reason(self, now: datetime, is_synced: bool) -> CloseReason | None:
        """Why the camera must be closed at `now`, or None where a lesson is on."""
        if self._settings.needs_synced_clock and not is_synced:
            return "clock"
        local = now.astimezone(self._zone)
        if self._refresh(local.date()) or local.date() != self._day:
            self._day = local.date()
            self._spans = [] if self._unreadable else self.on(self._day).spans
        moment = now.astimezone(timezone.utc)  # times of one zone compare by the clock on the wall
        return None if any(span.start <= moment < span.end for span in self._spans) else "schedule"

    def on(self, day: date) -> DayPlan:
        """The lessons that touch a day, as the calendars are now."""
        self._refresh(day)
        if self._unreadable:
            return DayPlan([], [IgnoredEvent("the day's lessons", self._unreadable)])
        if self._is_holiday(day):
            return DayPlan([], [IgnoredEvent("the day's lessons", "holiday")])
        spans = self._times_of(day)
        ignored_events, elsewhere = list[IgnoredEvent](), list[IgnoredEvent]()
        if self._settings.calendar is not None:
            calendar = self._calendars[self._settings.calendar]
            ignored_events = calendar.ignored_on(day)
            own = self._own_room(calendar)
            for one in calendar.on(day):
                why = own.why_not(place_of(one.event))
                if why is None:
                    spans.append(Span(one.start, one.end))
                else:
                    elsewhere.append(IgnoredEvent(describe(one.event), why))
        return DayPlan(sorted(spans), ignored_events, elsewhere)

    @property
    def faults(self) -> list[IgnoredEvent]:
        """Events of the calendars that cannot be read."""
        return [fault for calendar in self._calendars.values() for fault in calendar.faults]

    @property
    def only_place(self) -> str:
        """The only place that the calendar knows, where it is taken for the room; else nothing."""
        place = self._settings.calendar
        calendar = self._calendars.get(place) if place else None
        return "" if calendar is None else self._own_room(calendar).only_place

    @property
    def emptiness(self) -> Problem | None:
        """What to say of a calendar of lessons that can be read and has none in it."""
        place = self._settings.calendar
        calendar = self._calendars.get(place) if place else None
        if place is None or calendar is None or not calendar.is_empty:
            return None
        return Problem(NO_LESSON, self._sources[place].where, WITH_LESSONS)

    @property
    def web_sources(self) -> list[tuple[WebSource, Check]]:
        """The calendars that are fetched, and what reads each."""
        return [
            (one, lambda content, one=one: self._parse(content, one))  # type: ignore[misc]  # bound now
            for one in self._sources.values()
            if isinstance(one, WebSource)
        ]

    def _own_room(self, calendar: Calendar) -> OwnRoom:
        if self._own is None:
            self._own = OwnRoom(self._room, self._settings.calendar_rooms, calendar.places)
        return self._own

    def _refresh(self, day: date, *, starting: bool = False) -> bool:
        """Reads what changed, of the weeks around a day; returns whether anything did."""
        self._days = near(day)
        versions = (self._days, *(one.version() for one in self._sources.values()))
        if versions == self._read_at and not starting:
            return False
        self._read_at = versions
        self._unreadable, self._own = "", None
        for place, one in self._sources.items():
            try:
                self._calendars[place] = self._parse(one.content(), one)
            except UserError as error:
                if starting and not isinstance(one, WebSource):
                    raise
                if self._keeps:  # a command says it in its own way
                    log.error("%s; paused until it can be read", error)
                self._unreadable = str(error)
        return True

    def _is_holiday(self, day: date) -> bool:
        if any(holiday.has(day) for holiday in self._settings.holidays):
            return True
        path = self._settings.holidays_calendar
        return bool(path and self._calendars[path].any_on(day))

    def _times_of(self, day: date) -> list[Span]:
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

    def _parse(self, content: bytes, one: Source) -> Calendar:
        tentative = self._settings.tentative
        return Calendar(
            content,
            self._zone,
            one.where,
            tentative=tentative,
            logs=self._keeps,
            days=self._days,
            harmless=self._settings.harmless,
            same={key(one): self._room.room for one in self._spellings()},
        )

    def _spellings(self) -> tuple[str, ...]:
        """How calendars write the room."""
        room, site = self._room.room, self._room.site
        return (*self._settings.calendar_rooms, room, f"{site}/{room}")
