"""A timetable as CSV, in the ways in which spreadsheets save it.

Columns `day` (a weekday in English, German, French or Spanish, or a date), `start`, `end`, `room`,
`title` and, if wanted, `teacher` and `status`; the headings in these languages, too. A row with a
fault is left out, and named by line and column; one whose title, room or status calls it off, or
whose status says anything but that it takes place, is no lesson.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import get_day_names, get_month_names

from collector.config import DateOrder
from edge.common.calendar_event import IgnoredEvent
from edge.common.cancellation import TEXT_SAYS, calls_off, day_off, is_holiday, is_tentative
from edge.common.errors import UserError
from edge.common.school_day import OVERNIGHT_H
from edge.common.text import decode

COLUMNS = ("day", "start", "end", "room", "title")
HEADINGS = {
    "day": "weekday date startdate tag wochentag datum startdatum jour datedebut jourdelasemaine "
    "dia diadelasemana fecha fechadecomienzo fechadeinicio",
    "start": "from begin starttime beginn von anfang debut heuredebut inicio desde comienzo",
    "end": "to until endtime ende bis fin heurefin hasta",
    "room": "classroom location raum zimmer ort salle aula sala",
    "title": "lesson subject course titel fach kurs titre cours matiere titulo asignatura materia",
    "teacher": "lehrer lehrerin lehrkraft professeur prof enseignant profesor profesora docente",
    "status": "state statut estado etat",
}
"""What else a column may be called, without accents, spaces and signs."""

TAKES_PLACE = {
    *("ok", "yes", "confirmed", "scheduled", "planned", "takesplace", "normal", "active"),
    *("ja", "bestatigt", "bestaetigt", "findetstatt", "geplant", "aktiv"),
    *("oui", "confirme", "confirmee", "alieu", "prevu", "prevue", "maintenu", "maintenue"),
    *("si", "confirmado", "confirmada", "programado", "programada", "activo", "activa"),
}
"""A status that speaks for a row; any other, not understood, speaks against it."""

Width = Literal["wide", "abbreviated", "short"]
DAY_NAMES: tuple[tuple[str, Width], ...] = (
    *(("en", "wide"), ("en", "abbreviated"), ("en", "short")),
    *(("de", "wide"), ("de", "abbreviated"), ("de", "short")),
    *(("fr", "wide"), ("fr", "abbreviated")),
    *(("es", "wide"), ("es", "abbreviated")),
)
"""Not the French and Spanish names of two letters: `di` and `do` are other days in German."""

WIDTHS: tuple[Literal["wide", "abbreviated"], ...] = ("wide", "abbreviated")

CLOCK = re.compile(
    r"(\d{1,2})\s*[:.h]\s*(\d{2})(?::\d{2}(?:\.0+)?)?\s*(?:([ap])\.?\s?m\.?|uhr)?", re.IGNORECASE
)
WHOLE_HOUR = re.compile(r"(\d{1,2})\s*([ap])\.?\s?m\.?", re.IGNORECASE)
FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)
LONGEST_CELL, LONGEST_ROW = 8, 20_000
"""Lines, and characters: a timetable's are far shorter."""


HEAD = 10
"""Rows at the top among which the headings are."""

SECOND = "second "
"""Before a column's name that stood already, letter for letter."""

OTHER_DAY = "another day"
"""A second column for it, by another of its names."""

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

    def on(self, day: date, zone: ZoneInfo) -> RowSpan | None:
        """When it begins and ends, where it begins on that day; over midnight where it must."""
        if day not in (self.day, None) and day.weekday() != self.weekday:
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
        table = _table(text, where)
        seconds = [name for name in table[0][1] if name.startswith(SECOND)] if table else []
        self.faults += [
            IgnoredEvent(
                f"second column '{name.removeprefix(SECOND)}'",
                "not read: one of that name stands before it",
            )
            for name in seconds
        ]
        for number, row in table:
            if (holiday := _day_off(row, order)) is not None:
                self.days_off[holiday[0]] = holiday[1]
                continue
            try:
                self.rows.append(_row(row, order))
            except ValueError as error:
                self.faults.append(IgnoredEvent(f"line {number}", str(error)))
                self.rows += _called_off(row, order)
        if len(self.faults) > len(seconds) and not (self.rows or self.days_off):
            first, *others = self.faults[len(seconds) :]
            more = f" (and {len(others)} more, of which none can be read)" if others else ""
            raise UserError(f"{first.event}", where, f"{first.why}{more}")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing below the headings."""
        return not (self.rows or self.days_off or self.faults)


def _table(text: str, where: str) -> list[tuple[int, dict[str, str]]]:
    """Rows that hold anything, each with the number of its line, by lower-case heading."""
    best: list[tuple[int, list[str]]] = []
    records = list(_records(text))
    for delimiter in ",;\t":
        rows = [
            (number, next(csv.reader([record], delimiter=delimiter), []))
            for number, record in records
        ]
        rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
        # Excel's own first line, or a title above the table
        begin = max(
            range(min(len(rows), HEAD)), key=lambda n: _heading_count(rows[n][1]), default=0
        )
        rows = rows[begin:]
        if rows and _heading_count(rows[0][1]) > (_heading_count(best[0][1]) if best else -1):
            best = rows
    if not best:
        raise UserError("holds no row", where, f"give it the columns {', '.join(COLUMNS)}")
    headings = _headings(best[0][1])
    if missing := [name for name in COLUMNS if name not in headings]:
        raise UserError(
            f"columns {', '.join(missing)} are missing; it has {', '.join(best[0][1])}"[:200],
            where,
            "the first row names them, separated by commas, semicolons or tabs",
        )
    return [
        (number, {name: cell.strip() for name, cell in zip(headings, row, strict=False)})
        for number, row in best[1:]
    ]


def _records(text: str) -> Iterator[tuple[int, str]]:
    """Each row's text, with the number of its first line.

    A cell in quotes may reach over a few lines; a quote that nobody closes ends with its line, or
    it would take all rows that follow.
    """
    lines = re.split(r"\r\n|\r|\n", text)  # not at other signs, which titles may hold
    number = 0
    while number < len(lines):
        for length in range(1, LONGEST_CELL + 1):
            record = " ".join(lines[number : number + length])
            if record.count('"') % 2 == 0:
                break
        else:
            length, record = 1, lines[number].replace('"', "")
        yield number + 1, record[:LONGEST_ROW]
        number += length


def _heading_count(row: list[str]) -> int:
    """How many headings a row has."""
    return len({*_headings(row)} & HEADINGS.keys())


def _headings(row: list[str]) -> list[str]:
    """Each cell as the name of a column: ours, or as it is written; no column stands twice."""
    headings: list[str] = []
    own = {_plain(cell) for cell in row} & HEADINGS.keys()
    for cell in row:
        plain = _plain(cell)
        name = _names().get(plain, "")
        is_second = name in headings or (name != plain and name in own)
        again = SECOND if name in headings and name == plain else "another "
        headings.append(f"{again}{name}" if is_second else name or cell.strip().lower())
    return headings


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names = {_plain(word): name for name, words in HEADINGS.items() for word in words.split()}
    return names | {name: name for name in HEADINGS}


def _row(row: dict[str, str], order: DateOrder | None) -> SpreadsheetRow:
    """Raises ValueError, which names the column, what is there, and what is expected."""
    for name in COLUMNS:
        if not row.get(name) and name != "title":
            raise ValueError(f"column '{name}': empty")
    weekday = _weekdays().get(_plain(row["day"]))
    day = None if weekday is not None else _day(row["day"], order)
    text = row.get(OTHER_DAY, "")
    if weekday is not None and text and _plain(text) not in _weekdays():  # beside it the date
        day = _day(text, order)
        if day.weekday() != weekday:
            raise ValueError(f"column 'day': {row['day']}: {text} is none")
        weekday = None
    start, end = _time("start", row["start"]), _time("end", row["end"])
    minutes = (end.hour - start.hour) * 60 + end.minute - start.minute
    if minutes == 0 or -((24 - OVERNIGHT_H) * 60) < minutes < 0:
        raise ValueError(f"column 'end': {row['end']} is not after 'start', {row['start']}")
    title, teacher = row.get("title") or "Lesson", row.get("teacher") or None
    return SpreadsheetRow(weekday, day, start, end, row["room"], title, teacher, _why_off(row))


def _why_off(row: dict[str, str]) -> str:
    # Whatever the column is called: `Bemerkung`, `Info`, and a teacher who is `entfällt`.
    if any(calls_off(cell) for name, cell in row.items() if name not in ("day", "start", "end")):
        return TEXT_SAYS
    if is_tentative(row.get("title", "")):
        return "tentative"
    status = row.get("status", "").strip(" -–—")
    if not status or _plain(status) in TAKES_PLACE:
        return ""
    return f"its status, {status[:40]}, does not say that it takes place"


def _day_off(row: dict[str, str], order: DateOrder | None) -> tuple[date, str] | None:
    """Of a row for one date, without a room, that says that nobody has lessons: the day, and what
    it says. Whatever times it has: it is not known for whom they are."""
    texts = [text for name, text in row.items() if name not in ("day", "start", "end")]
    title = next((one for one in texts if is_holiday(one) or day_off(one) == "school"), None)
    if row.get("room") not in (None, "", title) or title is None:
        return None
    try:
        return _day(row.get("day", ""), order), title
    except ValueError:
        return None


def _called_off(row: dict[str, str], order: DateOrder | None) -> list[SpreadsheetRow]:
    """What is left of a row that cannot be read and calls off a date: the time that it may mean, as
    long as its day and its room can be read."""
    why, room = _why_off(row), row.get("room", "")
    if not why or not room or _plain(row.get("day", "")) in _weekdays():
        return []
    try:
        day = _day(row.get("day", ""), order)
    except ValueError:
        return []
    start, end = (_time_or_midnight(name, row.get(name, "")) for name in ("start", "end"))
    return [SpreadsheetRow(None, day, start, end, room, row.get("title") or "Lesson", None, why)]


def _time_or_midnight(name: str, text: str) -> time:
    try:
        return _time(name, text)
    except ValueError:
        return time()


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@lru_cache(maxsize=1)
def _weekdays() -> dict[str, int]:
    names = {
        _plain(name): number
        for language, width in reversed(DAY_NAMES)
        for number, name in get_day_names(width, "format", language).items()
    }
    return names | {"tues": 1, "weds": 2, "thurs": 3, "sonnabend": 5}


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names = [
        (_plain(name), number)
        for language in ("en", "de", "fr", "es")
        for width in WIDTHS
        for number, name in get_month_names(width, "format", language).items()
    ]
    short = {name[:3]: number for name, number in names if not name.startswith("jui")}
    return {**short, **dict(names), "mrz": 3}  # Excel's German word for March


def _day(text: str, order: DateOrder | None) -> date:
    """A date; a weekday before it has to be its own."""
    named = re.fullmatch(r"([^\W\d]+\.?),?\s+(.*)", text)
    weekday = None if named is None else _weekdays().get(_plain(named[1]))
    if named is None or weekday is None:
        return _date(text, order)
    day = _date(named[2], order)
    if day.weekday() != weekday:
        raise ValueError(f"column 'day': {text}: this date is no {named[1]}")
    return day


def _with_month(text: str) -> date | None:
    """A date with the month's name: `2 March 2026`, `March 2, 2026`, `2. März 2026`."""
    words = [
        word for word in re.split(r"[\s,.-]+", text.casefold()) if word not in ("", "de", "of")
    ]
    months = [number for word in words if (number := _months().get(_plain(word)))]
    days = [re.sub(r"(?<=\d)(st|nd|rd|th|er|º|ª)$", "", word) for word in words]
    numbers = [word for word in days if word.isascii() and word.isdigit()]
    if len(words) != 3 or len(months) != 1 or len(numbers) != 2 or len(numbers[1]) not in (2, 4):
        return None
    year = int(numbers[1]) + (2000 if len(numbers[1]) == 2 else 0)
    try:
        return date(year, months[0], int(numbers[0]))
    except ValueError:
        raise ValueError(f"column 'day': {text}: no such day") from None


def _date(text: str, order: DateOrder | None) -> date:
    text = re.sub(r"[ T]0{1,2}:00(:00(\.0+)?)?$", "", text)  # midnight, which programs add
    if (day := _with_month(text)) is not None:
        return day
    numbers = re.fullmatch(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})\.?", text)
    if numbers is None:
        raise ValueError(f"column 'day': {text}: write a weekday, or a date as in 2026-03-02")
    parts = [int(numbers.group(n)) for n in (1, 3, 4)]
    if len(numbers.group(1)) == 4:
        order = "ymd"
    elif order is None and numbers.group(2) == ".":
        order = "dmy"
    if order is None:
        raise ValueError(
            f"column 'day': {text}: say which comes first, as school.date_order: dmy, mdy or ymd"
        )
    by_letter = dict(zip(order, parts, strict=True))
    year = by_letter["y"] + (2000 if by_letter["y"] < 100 else 0)
    try:
        return date(year, by_letter["m"], by_letter["d"])
    except ValueError:
        raise ValueError(f"column 'day': {text}: no such day (read as {order})") from None


def _time(column: str, text: str) -> time:
    if whole := WHOLE_HOUR.fullmatch(text):  # `8 AM`
        text = f"{whole[1]}:00 {whole[2]}m"
    elif FOUR_DIGITS.fullmatch(text):  # `0800`
        text = f"{text[:2]}:{text[2:]}"
    match = CLOCK.fullmatch(text)
    hour, minute = (int(match.group(1)), int(match.group(2))) if match else (99, 0)
    if match and (half := match.group(3)):
        hour = hour % 12 + (12 if half[0] in "pP" else 0) if 1 <= hour <= 12 else 99
    if (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        raise ValueError(f"column '{column}': {text}: write hours and minutes, as in 9:15")
    return time(hour, minute)
