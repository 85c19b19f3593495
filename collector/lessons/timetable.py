"""The school's timetable, as an iCalendar file or as CSV, and what of it goes on now.

iCalendar: SUMMARY is the title, LOCATION the rooms (`places.py`), ORGANIZER or CATEGORIES the
teacher's account. CSV: see `spreadsheet.py`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from collector.config import CollectorSettings, DateOrder
from collector.lessons.holidays import Holidays
from collector.lessons.spreadsheet import RowSpan, Spreadsheet, SpreadsheetRow
from edge.common.calendar import UNKNOWN_BESIDE, Calendar
from edge.common.calendar_beside import RoomEvent, doubtful, is_harmless
from edge.common.calendar_event import IgnoredEvent, attribute, each, short
from edge.common.calendar_notice import Neighbour, Notice
from edge.common.calendar_sources import (
    COPIES,
    NO_LESSON,
    WITH_LESSONS,
    Check,
    FileSource,
    Source,
    WebSource,
    source,
)
from edge.common.cancellation import (
    TEXT_SAYS,
    classes,
    day_off,
    is_holiday,
    lesson_words,
    subject,
)
from edge.common.errors import Problem, UserError
from edge.common.places import RoomNames, RoomPlace, is_same, names

log = logging.getLogger(__name__)


def timetable_of(settings: CollectorSettings, *, keeps: bool = True) -> Timetable | None:
    """The one that the settings name, if any; raises UserError for one that cannot be read.

    `keeps` is False for a command that only looks: nothing is written then.
    """
    school, folder = settings.school, settings.state / COPIES
    if school.timetable is None:
        return None
    calendar = school.holidays_calendar
    key = "school.holidays_calendar"
    holidays_source = source(calendar, key, folder, keeps=keeps) if calendar else None
    return Timetable(
        source(school.timetable, "school.timetable", folder, keeps=keeps),
        school.timezone,
        RoomNames({name: room.calendars for name, room in settings.rooms.items()}),
        tentative=school.tentative,
        harmless=school.harmless,
        order=school.date_order,
        logs=keeps,
        holidays=Holidays(school.holidays, holidays_source, ZoneInfo(school.timezone), logs=keeps),
    )


class PlannedLesson(NamedTuple):
    """One lesson of the timetable; `site` is None where it names none."""

    site: str | None
    room: str
    title: str
    teacher: str | None
    start: datetime
    end: datetime


class TimetableEntry(NamedTuple):
    """A lesson as the file has it: its rooms are still text."""

    rooms: str
    title: str
    teacher: str | None
    start: datetime
    end: datetime
    is_weekly: bool = False


class _RoomOff(NamedTuple):
    """What a row calls off; `subject` are the words for it."""

    place: RoomPlace
    span: RowSpan
    subject: frozenset[str]
    is_date: bool
    """Of one date alone: what stands there for every week is off then, whatever it is called."""

    def is_of(self, place: RoomPlace, entry: TimetableEntry) -> bool:
        """Whether it speaks of an entry in a room, which lies in any of its time."""
        is_near = self.span.start < entry.end and entry.start < self.span.end
        is_there = self.place.site == place.site and is_same(self.place.room, place.room)
        is_every_week = entry.is_weekly and self.is_date
        is_named = not self.subject.isdisjoint(lesson_words(entry.title))
        return is_near and is_there and (is_every_week or is_named)


def _without_called_off(
    entries: list[TimetableEntry], title: str, span: RowSpan, ignored_events: list[IgnoredEvent]
) -> list[TimetableEntry]:
    """What a row without a room leaves, wherever it is: of its title, its classes, or its time."""
    of_classes = classes(title) if is_holiday(title) else frozenset[str]()
    about, off = of_classes or subject(title), day_off(title)
    if about or off:
        near = [
            Neighbour(lesson_words(one.title), frozenset(), one.start, one.end) for one in entries
        ]
        one = Notice(title, span.start, span.end, about, off, frozenset(), is_one_room=False)
        flags = one.calls_off(near, set(), is_of_one_room=False)
    else:  # `entfällt`
        flags = [span == (one.start, one.end) for one in entries]
    ignored_events += [
        IgnoredEvent(_title_with_date(one.title, one.start), f"called off by {short(title)}")
        for one, is_off in zip(entries, flags, strict=True)
        if is_off
    ]
    return [one for one, is_off in zip(entries, flags, strict=True) if not is_off]


class Timetable:
    """A file that is read again when it changes; raises UserError for one that cannot be read.

    One at an address has no lessons before it was fetched. `logs`: whether faults go to the log.
    """

    def __init__(
        self,
        place: Path | Source,
        zone: str,
        rooms: RoomNames | None = None,
        *,
        tentative: bool = False,
        harmless: Sequence[str] = (),
        order: DateOrder | None = None,
        logs: bool = True,
        holidays: Holidays | None = None,
    ) -> None:
        self._source = FileSource(place, "school.timetable") if isinstance(place, Path) else place
        self._zone = ZoneInfo(zone)
        self._rooms = rooms or RoomNames()
        self._holidays = holidays or Holidays((), None, self._zone)
        self._tentative, self._harmless = tentative, harmless
        self._order, self._logs = order, logs
        self._read_at: object = None
        self._content: Calendar | Spreadsheet | None = None
        self._days: dict[date, tuple[list[PlannedLesson], list[IgnoredEvent]]] = {}
        self._refresh()

    def now(self, at: datetime) -> list[PlannedLesson]:
        """What goes on at a moment; a file that can no longer be read leaves it as it was."""
        try:
            self._refresh()
        except UserError as error:
            log.error("%s; keeping the previous timetable", error)
        moment = at.astimezone(timezone.utc)  # times of one zone compare by the clock on the wall
        plan, _ = self.on(at.astimezone(self._zone).date())
        return [lesson for lesson in plan if lesson.start <= moment < lesson.end]

    def on(self, day: date) -> tuple[list[PlannedLesson], list[IgnoredEvent]]:
        """The lessons that touch a day of the school's zone, and what was left out, and why."""
        if self.web_sources:
            self._refresh()
        if day not in self._days:
            if len(self._days) > 31:
                self._days.clear()
            self._days[day] = self._plan(day)
        return self._days[day]

    @property
    def faults(self) -> list[IgnoredEvent]:
        """Events and rows that cannot be read, of the whole file."""
        own = [] if self._content is None else self._content.faults
        return [*own, *self._holidays.faults]

    @property
    def emptiness(self) -> Problem | None:
        """What to say of a file that can be read and has nothing in it."""
        if self._content is None or not self._content.is_empty:
            return None
        return Problem(NO_LESSON, self._source.where, WITH_LESSONS)

    @property
    def web_sources(self) -> list[tuple[WebSource, Check]]:
        """What is fetched, if it is, and what reads it."""
        own: list[tuple[WebSource, Check]] = (
            [(self._source, self._parse)] if isinstance(self._source, WebSource) else []
        )
        return own + self._holidays.web_sources

    def _plan(self, day: date) -> tuple[list[PlannedLesson], list[IgnoredEvent]]:
        off: list[_RoomOff] = []
        if why := self._why_off(day):
            return [], [IgnoredEvent("the day's lessons", why)]
        if isinstance(self._content, Calendar):
            entries = [_entry(one.event, one.start, one.end) for one in self._content.on(day)]
            ignored_events = list(self._content.ignored_on(day))
        elif self._content is None:
            entries, ignored_events = [], []
        else:
            rows = list(self._rows_of(self._content, day))
            entries = [_row_entry(row, span) for row, span in rows if not row.why_off]
            ignored_events = [
                IgnoredEvent(_title_with_date(row.title, span.start), row.why_off)
                for row, span in rows
                if row.why_off
            ]
            off = [
                _RoomOff(place, span, subject(row.title), row.day is not None)
                for row, span in rows
                if row.why_off and not is_harmless(row.title, self._harmless)
                for place in self._rooms.find(row.room)
            ]
            for row, span in rows:
                if row.why_off == TEXT_SAYS and not row.room:
                    entries = _without_called_off(entries, row.title, span, ignored_events)
        lessons: list[PlannedLesson] = []
        for entry in entries:
            places = self._rooms.find(entry.rooms)
            if not places:
                why = f"names no room: {short(entry.rooms)}" if entry.rooms else "names no room"
                ignored_events.append(IgnoredEvent(_title_with_date(entry.title, entry.start), why))
            lessons += [
                PlannedLesson(*place, entry.title, entry.teacher, entry.start, entry.end)
                for place in places
                if not any(one.is_of(place, entry) for one in off)
            ]
        if isinstance(self._content, Spreadsheet):
            lessons = self._without_doubtful(lessons, self._content, ignored_events)
        return lessons, ignored_events

    def _without_doubtful(
        self, lessons: list[PlannedLesson], content: Spreadsheet, ignored_events: list[IgnoredEvent]
    ) -> list[PlannedLesson]:
        """Of a spreadsheet, what nothing stands beside in its room that nobody knows; a calendar
        does so by itself (calendar_beside.py)."""
        known = [one for one in lessons if not is_harmless(one.title, self._harmless)]
        neighbours = [
            RoomEvent(
                one.title,
                one.start,
                one.end,
                frozenset(f"{one.site or ''}/{name}" for name in names(one.room)),
                content.usual_titles.has(one.title, one.start.date()),
                is_lesson=True,
            )
            for one in known
        ]
        off = {id(known[index]): title for index, title in doubtful(neighbours, False).items()}
        ignored_events += [
            IgnoredEvent(
                _title_with_date(one.title, one.start), f"{UNKNOWN_BESIDE}: {short(off[id(one)])}"
            )
            for one in known
            if id(one) in off
        ]
        return [one for one in lessons if id(one) not in off]

    def _why_off(self, day: date) -> str:
        """Why a day has no lessons in any room, or nothing."""
        if self._holidays.has(day):
            return "holiday"
        if gap := self._holidays.gap:
            return gap
        title = self._content.days_off.get(day) if isinstance(self._content, Spreadsheet) else None
        return f"called off by {short(title)}" if title is not None else ""

    def _rows_of(self, content: Spreadsheet, day: date) -> Iterator[tuple[SpreadsheetRow, RowSpan]]:
        for begin in (day - timedelta(days=1), day):
            for row in content.rows:
                span = row.on(begin, self._zone)
                if span is not None and (begin == day or span.end.date() == day):
                    yield row, span

    def _refresh(self) -> None:
        is_web = isinstance(self._source, WebSource)
        if self._holidays.refresh():
            self._days.clear()
        version = self._source.version()
        if version == self._read_at and (version is not None or is_web):
            return
        self._read_at = version
        try:
            self._content = self._parse(self._source.content())
        except UserError as error:
            if not is_web:
                raise
            log.error("%s; keeping the previous timetable", error)  # fetched under other settings
            return
        if isinstance(self._content, Spreadsheet) and self._logs:
            for fault in self._content.faults:
                log.warning("%s: row ignored: %s: %s", self._source.where, *fault)
        self._days.clear()

    def _parse(self, content: bytes) -> Calendar | Spreadsheet:
        """By the file's name, or by what it begins with."""
        where = self._source.where
        is_calendar = self._source.name.lower().endswith((".ics", ".ical", ".ifb", ".icalendar"))
        if is_calendar or b"BEGIN:VCALENDAR" in content[:200].upper().replace(b"\0", b""):
            return Calendar(
                content,
                self._zone,
                where,
                tentative=self._tentative,
                logs=self._logs,
                harmless=self._harmless,
                same=self._rooms.spellings(),
            )
        return Spreadsheet(content, where, self._order)


def _title_with_date(title: str, start: datetime) -> str:
    """A lesson as a person finds it again."""
    return f"{title} ({start:%Y-%m-%d})"


def _row_entry(row: SpreadsheetRow, span: RowSpan) -> TimetableEntry:
    is_weekly = row.weekday is not None
    return TimetableEntry(row.room, row.title, row.teacher, span.start, span.end, is_weekly)


def _entry(event: Any, start: datetime, end: datetime) -> TimetableEntry:
    title = " ".join(_text(event, "SUMMARY").split()) or "Lesson"
    return TimetableEntry(_text(event, "LOCATION"), title, _teacher(event), start, end)


def _text(event: Any, name: str) -> str:
    """A property; of one that is there more than once, the first."""
    return str(next(iter(each(event, name)), "")).strip()


def _teacher(event: Any) -> str | None:
    organizer = next(iter(each(event, "ORGANIZER")), None)
    if organizer is not None:
        name = str((attribute(organizer, "params") or {}).get("CN", "")) or str(organizer)
        return re.sub(r"^mailto:", "", name, flags=re.IGNORECASE) or None
    categories = next(iter(each(event, "CATEGORIES")), None)
    names = [str(name) for name in attribute(categories, "cats") or []]
    return names[0] if names else None
