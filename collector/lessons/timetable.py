"""The school's timetable, as an iCalendar file or as CSV, and what of it goes on now.

iCalendar: SUMMARY is the title, LOCATION the room as `r101` or `site/r101`, ORGANIZER or CATEGORIES
the teacher's account. CSV: columns `day` (Monday to Sunday, or a date), `start`, `end`, `room`,
`title`, `teacher`.
"""

from __future__ import annotations

import csv
import logging
import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.errors import Refusal

log = logging.getLogger(__name__)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
COLUMNS = {"day", "start", "end", "room", "title"}
PLACE = re.compile(r"(?:([a-z0-9-]{1,32})/)?([a-z0-9-]{1,32})")


class Planned(NamedTuple):
    """One lesson of the timetable; `site` is None where it names none."""

    site: str | None
    room: str
    title: str
    teacher: str | None
    start: datetime
    end: datetime


class Timetable:
    """A file that is read again when it changes."""

    def __init__(self, path: Path, zone: str) -> None:
        self._path = path
        self._zone = ZoneInfo(zone)
        self._read_at: float | None = None
        self._content: Any = None
        self._changed()

    def now(self, at: datetime) -> list[Planned]:
        """What goes on at a moment; a file that can no longer be read leaves it as it was."""
        try:
            self._changed()
        except Refusal as refusal:
            log.error("%s; the timetable stays as it was", refusal)
        day = at.astimezone(self._zone)
        plan = self._weekly(day.date()) if isinstance(self._content, list) else self._events(day)
        return [planned for planned in plan if planned.start <= at < planned.end]

    def _changed(self) -> None:
        try:
            modified = self._path.stat().st_mtime
            if modified == self._read_at:
                return
            self._read_at = modified
            text = self._path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise Refusal(f"{self._path}: {reason}: check 'school.timetable'") from None
        is_calendar = self._path.suffix.lower() in (".ics", ".ical")
        self._content = _calendar(self._path, text) if is_calendar else self._rows(text)

    def _rows(self, text: str) -> list[dict[str, str]]:
        reader = csv.DictReader(text.splitlines())
        missing = COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise Refusal(f"{self._path}: columns {', '.join(sorted(missing))} are missing")
        rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
        for number, row in enumerate(rows, 2):
            try:
                self._planned(row, date.today())
            except ValueError as error:
                raise Refusal(f"{self._path}: line {number}: {error}") from None
        return rows

    def _weekly(self, day: date) -> list[Planned]:
        return [
            self._planned(row, day)
            for row in self._content
            if row["day"].lower() in (DAYS[day.weekday()], day.isoformat())
        ]

    def _planned(self, row: dict[str, str], day: date) -> Planned:
        if row["day"].lower() not in DAYS:
            date.fromisoformat(row["day"])
        begin, end = (
            datetime.combine(day, time.fromisoformat(row[key]), self._zone)
            for key in ("start", "end")
        )
        if end <= begin:
            raise ValueError("'end' is not after 'start'")
        place = _place(row["room"])
        return Planned(*place, row["title"] or "Lesson", row.get("teacher") or None, begin, end)

    def _events(self, at: datetime) -> list[Planned]:
        import recurring_ical_events

        day = at.date()
        found = recurring_ical_events.of(self._content).between(day, day + timedelta(days=1))
        made = []
        for event in found:
            begin, end = event.get("DTSTART"), event.get("DTEND")
            if begin is None or end is None or not isinstance(begin.dt, datetime):
                continue  # a whole day is a holiday, not a lesson
            try:
                place = _place(str(event.get("LOCATION", "")))
            except ValueError:
                continue
            title = str(event.get("SUMMARY", "")) or "Lesson"
            made.append(
                Planned(*place, title, _teacher(event), self._at(begin.dt), self._at(end.dt))
            )
        return made

    def _at(self, at: datetime) -> datetime:
        return at if at.tzinfo else at.replace(tzinfo=self._zone)


def _calendar(path: Path, text: str) -> Any:
    try:
        import icalendar
    except ModuleNotFoundError:
        raise Refusal(
            f"{path}: iCalendar needs a package: pip install 'roommood[calendar]'"
        ) from None
    try:
        return icalendar.Calendar.from_ical(text)
    except ValueError as error:
        raise Refusal(f"{path}: no iCalendar file ({error}): export it again") from None


def _place(text: str) -> tuple[str | None, str]:
    found = PLACE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"'{text}': no room: write r101, or site/r101")
    return found.group(1), found.group(2)


def _teacher(event: Any) -> str | None:
    organizer = event.get("ORGANIZER")
    if organizer is not None:
        name = str(organizer.params.get("CN", "")) or str(organizer)
        return re.sub(r"^mailto:", "", name, flags=re.I) or None
    categories = event.get("CATEGORIES")
    names = [str(name) for name in getattr(categories, "cats", [])]
    return names[0] if names else None
