"""A timetable as CSV, in the ways in which spreadsheets save it.

Columns `day` (a weekday in English, German, French or Spanish, or a date), `start`, `end`, `room`,
`title` and, if wanted, `teacher` and `status`; the headings in these languages, too, and those of
calendars that Outlook exports. A row with a fault is left out, and named by line and column; one
whose title, room or status calls it off, or whose status says anything but that it takes place, is
no lesson.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.config import DateOrder
from collector.lessons.sheet_cells import (
    FIRST_DAY,
    date_of,
    day_of,
    days_of,
    is_on,
    plain,
    possible_days,
    range_of,
    time_of,
    weekdays_of,
)
from collector.lessons.sheet_table import (
    COLUMNS,
    OTHER_DAY,
    SECOND,
    read_table,
    unread_columns,
)
from edge.common.calendar_beside import UsualTitles
from edge.common.calendar_event import IgnoredEvent
from edge.common.cancellation import (
    TEXT_SAYS,
    calls_off,
    classes,
    day_off,
    is_holiday,
    is_tentative,
)
from edge.common.errors import UserError
from edge.common.places import number
from edge.common.school_day import OVERNIGHT_H
from edge.common.text import decode

TAKES_PLACE = {
    *("ok", "yes", "confirmed", "scheduled", "planned", "takesplace", "normal", "active"),
    *("ja", "bestatigt", "bestaetigt", "findetstatt", "geplant", "aktiv"),
    *("oui", "confirme", "confirmee", "alieu", "prevu", "prevue", "maintenu", "maintenue"),
    *("si", "confirmado", "confirmada", "programado", "programada", "activo", "activa"),
}
"""A status that speaks for a row; any other, not understood, speaks against it."""

EVERYWHERE = {
    *("all", "allrooms", "everyroom", "everywhere", "school", "wholeschool", "alle", "alleraume"),
    *("uberall", "schule", "ganzeschule", "gesamteschule", "haus", "campus", "tous", "toutes"),
    *("touteslessalles", "ecole", "etablissement", "lycee", "college", "todos", "todas"),
    *("todaslasaulas", "escuela", "colegio", "centro", "instituto", ""),
}
"""Rooms that are none, of a day without lessons."""

WHOLE_DAY = "a whole day"

OWN_TIMES = ("day", "start", "end", "last day", OTHER_DAY, "valid from", "valid until")
SWITCHES = ("all day", "private", "shown as")
"""Columns whose cells are no words about a lesson."""

TENTATIVE_BUSY, BUSY = (
    {"1", "tentative", "mitvorbehalt", "provisoire", "provisional"},
    {
        *("", "2", "busy", "beschaftigt", "gebucht", "occupe", "ocupado"),
    },
)
"""How Outlook shows a time; all else is time in which nothing takes place here."""

FOREIGN = {
    **dict.fromkeys((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), "a workbook"),
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed",
}
"""What is not CSV, by how it begins."""


class RowSpan(NamedTuple):
    """From `start` up to `end`, both aware."""

    start: datetime
    end: datetime


class SpreadsheetRow(NamedTuple):
    """One row that can be read; `weekday` counts from Monday, or `day` is one day alone."""

    weekday: int | None
    day: date | None
    start: time
    end: time
    room: str
    title: str
    teacher: str | None
    why_off: str = ""
    """Why it does not take place by its own word; empty where nothing speaks against it."""
    since: date | None = None
    until: date | None = None
    """The first and the last day on which it counts."""

    def on(self, day: date, zone: ZoneInfo) -> RowSpan | None:
        """When it begins and ends, where it begins on that day; over midnight where it must."""
        if day not in (self.day, None) and day.weekday() != self.weekday:
            return None
        if (self.since and day < self.since) or (self.until and day > self.until):
            return None
        last = day if self.end > self.start else day + timedelta(days=1)
        return RowSpan(
            datetime.combine(day, self.start, zone), datetime.combine(last, self.end, zone)
        )


class Spreadsheet:
    """The rows of a file; raises UserError (naming `where`) for one that holds no timetable."""

    def __init__(self, content: bytes, where: str, order: DateOrder | None) -> None:
        self.rows: list[SpreadsheetRow] = []
        self.days_off: dict[date, str] = {}
        """Days on which no room has a lesson, and the title that says so."""
        self.faults: list[IgnoredEvent] = []
        if kind := next((FOREIGN[head] for head in FOREIGN if content.startswith(head)), None):
            raise UserError(f"is {kind}, not CSV", where, "save the timetable as CSV")
        text = decode(content)
        if text.lstrip("\ufeff \t\r\n").startswith("<"):
            raise UserError("is a web page, not CSV", where, "save the timetable as CSV")
        table = read_table(text, where)
        seconds = [name for name in table[0][1] if name.startswith(SECOND)] if table else []
        columns = [
            IgnoredEvent(
                f"second column '{name.removeprefix(SECOND)}'",
                "not read: one of that name stands before it",
            )
            for name in seconds
        ]
        columns += [
            IgnoredEvent(f"column '{name[:40]}'", "not read: no row is limited by it")
            for name in unread_columns(table)
        ]
        for line, row in table:
            fault = self._take(row, order)
            if fault is not None:
                self.faults.append(IgnoredEvent(f"line {line}", fault))
        if self.faults and not (self.rows or self.days_off):
            first, *others = self.faults
            more = f" (and {len(others)} more, of which none can be read)" if others else ""
            raise UserError(f"{first.event}", where, f"{first.why}{more}")
        self._has_faults = bool(self.faults)
        self.faults = [*columns, *self.faults]

    def _take(self, row: dict[str, str], order: DateOrder | None) -> str | None:
        """Adds what a row says; returns what is wrong with it."""
        title = _day_off(row)
        try:
            if title is not None:
                self.days_off |= dict.fromkeys(_days(row, order), title)
            else:
                self.rows += _rows(row, order)
        except ValueError as error:
            if title is not None:  # of two days that it may be both are off
                self.days_off |= dict.fromkeys(possible_days(row.get("day", "")), title)
            self.rows += _called_off(row, order)
            return str(error)
        return None

    @cached_property
    def usual_titles(self) -> UsualTitles:
        """Which titles are there week after week, as in a calendar."""
        from icalendar import Event

        series = []
        for row in self.rows:
            event = Event()
            event.add("summary", row.title)
            event.add("dtstart", row.day or FIRST_DAY)
            if row.day is None:
                event.add("rrule", {"freq": "weekly"})
            series.append([event])
        return UsualTitles(series)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing below the headings."""
        return not (self.rows or self.days_off or self._has_faults)


def _rows(row: dict[str, str], order: DateOrder | None) -> list[SpreadsheetRow]:
    """One for each day that a row names. Raises ValueError, which names the column, what is there,
    and what is expected."""
    why = _why_off(row)
    weekdays = weekdays_of(row.get("day", ""))
    days = list[date]() if weekdays or not row.get("day") else _days(row, order)
    ends_later = len(days) > len(days_of(row["day"], order)) if days else False
    says_day = (
        why == TEXT_SAYS and days and not any(row.get(name) for name in ("start", "end", "room"))
    )
    is_whole = is_on(row.get("all day")) or ends_later or bool(says_day)
    # What calls a lesson off on a date may do without times, and without a room where it names it.
    may_lack = {"title"} | ({"room"} if is_whole or (why == TEXT_SAYS and not weekdays) else set())
    may_lack |= {"start", "end"} if is_whole else set()
    for name in COLUMNS:
        if not row.get(name) and name not in may_lack:
            raise ValueError(f"column '{name}': empty")
    text = row.get(OTHER_DAY, "")
    if weekdays and text and not weekdays_of(text):  # beside it the date
        days = [day_of(text, order)]
        if days[0].weekday() not in weekdays:
            raise ValueError(f"column 'day': {row['day']}: {text} is none")
        weekdays = []
    if is_whole:
        start = end = time()
        why = why or WHOLE_DAY
    else:
        start, end = time_of("start", row["start"]), time_of("end", row["end"])
        minutes = (end.hour - start.hour) * 60 + end.minute - start.minute
        if minutes == 0 or -((24 - OVERNIGHT_H) * 60) < minutes < 0:
            raise ValueError(f"column 'end': {row['end']} is not after 'start', {row['start']}")
    title, teacher = row.get("title") or "Lesson", row.get("teacher") or None
    since, until = (_limit(row, name, order) for name in ("valid from", "valid until"))
    one = SpreadsheetRow(
        None, None, start, end, row.get("room", ""), title, teacher, why, since, until
    )
    return [one._replace(weekday=number) for number in weekdays] + [
        one._replace(day=day) for day in days
    ]


def _days(row: dict[str, str], order: DateOrder | None) -> list[date]:
    """Those of a row for dates; to the day that an export ends it at, where that is given."""
    days = days_of(row.get("day", ""), order)
    text = row.get("last day", "")
    if not text or len(days) > 1:
        return days
    last = date_of(text, order)
    ends = [_time_or_midnight(name, row.get(name, "")) for name in ("start", "end")]
    if is_on(row.get("all day")) and row.get("end") and ends == [time(), time()] and last > days[0]:
        last -= timedelta(days=1)  # Outlook's: the midnight at which the last day ends
    if not is_on(row.get("all day")) and last == days[0] + timedelta(days=1) and ends[1] <= ends[0]:
        last = days[0]  # over midnight
    return range_of(days[0], last)


def _limit(row: dict[str, str], name: str, order: DateOrder | None) -> date | None:
    if not row.get(name):
        return None
    try:
        return date_of(row[name], order)
    except ValueError as error:
        raise ValueError(str(error).replace("'day'", f"'{name}'")) from None


def _why_off(row: dict[str, str]) -> str:
    # Whatever the column is called: `Bemerkung`, `Info`, and a teacher who is `entfällt`.
    cells = [(name, cell) for name, cell in row.items() if name not in (*OWN_TIMES, *SWITCHES)]
    if any(calls_off(cell) or (calls_off(name) and is_on(cell)) for name, cell in cells):
        return TEXT_SAYS
    if is_on(row.get("private")):
        return "marked as private"
    busy = plain(row.get("shown as", ""))
    if is_tentative(row.get("title", "")) or busy in TENTATIVE_BUSY:
        return "tentative"
    if busy not in BUSY:
        return f"marked as free time ({row['shown as'][:40]})"
    status = row.get("status", "").strip(" -–—")
    if not status or plain(status) in TAKES_PLACE:
        return ""
    return f"its status, {status[:40]}, does not say that it takes place"


def _day_off(row: dict[str, str]) -> str | None:
    """Of a row for a date, without a room, that says that nobody has lessons: what it says.
    Whatever times it has: it is not known for whom they are."""
    cells = (text for name, text in row.items() if name not in (*OWN_TIMES, *SWITCHES, "room"))
    texts = [*cells, row.get("room", "")]
    has_no_time = not row.get("start") or is_on(row.get("all day"))
    title = next(
        (
            text
            for text in texts
            if not classes(text)
            and (is_holiday(text) or day_off(text) == "school" or (has_no_time and day_off(text)))
        ),
        None,
    )
    room = row.get("room") or ""
    is_of_all = room == title or plain(room) in EVERYWHERE
    if is_on(row.get("all day")):  # as `Germany` of a calendar of holidays
        is_of_all = is_of_all or (title is not None and number(room) is None)
    return title if is_of_all and not weekdays_of(row.get("day", "")) else None


def _called_off(row: dict[str, str], order: DateOrder | None) -> list[SpreadsheetRow]:
    """What is left of a row that cannot be read and calls off a date: the time that it may mean, as
    long as its day and its room can be read."""
    why, room = _why_off(row), row.get("room", "")
    if not why or not room or weekdays_of(row.get("day", "")):
        return []
    try:
        days = days_of(row.get("day", ""), order)
    except ValueError:
        return []
    start, end = (_time_or_midnight(name, row.get(name, "")) for name in ("start", "end"))
    title = row.get("title") or "Lesson"
    return [SpreadsheetRow(None, day, start, end, room, title, None, why) for day in days]


def _time_or_midnight(name: str, text: str) -> time:
    try:
        return time_of(name, text)
    except ValueError:
        return time()
