"""A timetable as CSV, in the ways in which spreadsheets save it.

Columns `day` (a weekday in English, German, French or Spanish, or a date), `start`, `end`, `room`,
`title` and, if wanted, `teacher` and `status`. A row with a fault is left out, and named by line
and column; one whose title, room or status calls it off is no lesson.
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

from babel.dates import get_day_names

from collector.config import DateOrder
from edge.common.calendar_event import IgnoredEvent
from edge.common.cancellation import calls_off
from edge.common.errors import UserError
from edge.common.school_day import OVERNIGHT_H
from edge.common.text import decode

COLUMNS = ("day", "start", "end", "room", "title")
OPTIONAL = ("teacher", "status")

Width = Literal["wide", "abbreviated", "short"]
DAY_NAMES: tuple[tuple[str, Width], ...] = (
    *(("en", "wide"), ("en", "abbreviated"), ("en", "short")),
    *(("de", "wide"), ("de", "abbreviated"), ("de", "short")),
    *(("fr", "wide"), ("fr", "abbreviated")),
    *(("es", "wide"), ("es", "abbreviated")),
)
"""Not the French and Spanish names of two letters: `di` and `do` are other days in German."""

CLOCK = re.compile(r"(\d{1,2})\s*[:.hH]\s*(\d{2})(?::\d{2})?\s*([ap]\.?m\.?)?", re.IGNORECASE)
LONGEST_CELL, LONGEST_ROW = 8, 20_000
"""Lines, and characters: a timetable's are far shorter."""


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
    is_off: bool = False
    """Whether it says of itself that it does not take place."""

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
        self.faults: list[IgnoredEvent] = []
        for number, row in _table(decode(content), where):
            try:
                self.rows.append(_row(row, order))
            except ValueError as error:
                self.faults.append(IgnoredEvent(f"line {number}", str(error)))
        if self.faults and not self.rows:
            raise UserError(f"{self.faults[0].event}", where, f"{self.faults[0].why}")


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
        if rows and rows[0][1][0].lower().startswith("sep="):  # Excel's own first line
            rows = rows[1:]
        if rows and _known(rows[0][1]) > (_known(best[0][1]) if best else -1):
            best = rows
    if not best:
        raise UserError("holds no row", where, f"give it the columns {', '.join(COLUMNS)}")
    headings = [cell.strip().lower() for cell in best[0][1]]
    if missing := [name for name in COLUMNS if name not in headings]:
        raise UserError(
            f"columns {', '.join(missing)} are missing; it has {', '.join(headings)}"[:200],
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
    lines = text.splitlines()
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


def _known(row: list[str]) -> int:
    """How many headings a row has."""
    return len({cell.strip().lower() for cell in row} & {*COLUMNS, *OPTIONAL})


def _row(row: dict[str, str], order: DateOrder | None) -> SpreadsheetRow:
    """Raises ValueError, which names the column, what is there, and what is expected."""
    for name in COLUMNS:
        if not row.get(name) and name != "title":
            raise ValueError(f"column '{name}': empty")
    weekday = _weekdays().get(_plain(row["day"]))
    day = None if weekday is not None else _date(row["day"], order)
    start, end = _time("start", row["start"]), _time("end", row["end"])
    minutes = (end.hour - start.hour) * 60 + end.minute - start.minute
    if minutes == 0 or -((24 - OVERNIGHT_H) * 60) < minutes < 0:
        raise ValueError(f"column 'end': {row['end']} is not after 'start', {row['start']}")
    title, teacher = row["title"] or "Lesson", row.get("teacher") or None
    is_off = any(calls_off(row.get(name, "")) for name in ("title", "room", "status"))
    return SpreadsheetRow(weekday, day, start, end, row["room"], title, teacher, is_off)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@lru_cache(maxsize=1)
def _weekdays() -> dict[str, int]:
    return {
        _plain(name): number
        for language, width in reversed(DAY_NAMES)
        for number, name in get_day_names(width, "format", language).items()
    }


def _date(text: str, order: DateOrder | None) -> date:
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
    match = CLOCK.fullmatch(text)
    hour, minute = (int(match.group(1)), int(match.group(2))) if match else (99, 0)
    if match and (half := match.group(3)):
        hour = hour % 12 + (12 if half[0] in "pP" else 0) if 1 <= hour <= 12 else 99
    if (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        raise ValueError(f"column '{column}': {text}: write hours and minutes, as in 9:15")
    return time(hour, minute)
