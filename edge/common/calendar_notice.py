"""Notices: events that stand beside a lesson in the calendar and call it off.

Whoever cannot change a series writes `Mathe entfällt` into the calendar, at its time, and
`Kein Unterricht` over a day. What a program cancels by STATUS is none: that speaks of itself alone.
Where it is not sure which lesson is meant, those that may be are called off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.calendar_event import attribute, each, place_of, short
from edge.common.cancellation import calls_off, day_off, subject, words
from edge.common.places import is_same, key, number, parts

LONG = timedelta(hours=3)
"""A notice of so long a time speaks of no single lesson."""
WORD = 4
"""Letters that two forms of one word share, as Mathe, Mathematik and Matheunterricht."""


class Neighbour(NamedTuple):
    """A lesson beside a notice."""

    words: frozenset[str]
    """Of its title."""
    places: tuple[str, ...]
    start: datetime
    end: datetime

    @classmethod
    def of(cls, event: Any, start: datetime, end: datetime) -> Neighbour:
        return cls(words(_title(event)), tuple(parts(place_of(event))), start, end)


class Notice(NamedTuple):
    """What calls lessons off from `start` up to `end`, both aware."""

    title: str
    start: datetime
    end: datetime
    subject: frozenset[str]
    """Words of the title that do not call off: what it speaks of."""
    day_off: str
    """`school`, `lessons` or nothing: whether it says that nobody has any."""
    places: tuple[str, ...]

    def calls_off(self, lessons: Sequence[Neighbour], rooms: Set[str]) -> list[bool]:
        """Of each lesson whether it does; `rooms` are the keys of all places of the calendar."""
        near = [self._meets(one, rooms) for one in lessons]
        if self.day_off == "school":
            return near
        ways: tuple[Callable[[Neighbour], bool], ...] = (
            lambda one: bool(one.words) and (one.words <= self.subject or self._shares(one)),
            lambda one: not one.words and one[2:] == (self.start, self.end),
            lambda _one: not self.subject and self._is_general(rooms),
            lambda _one: bool(self.day_off) and self._is_general(rooms),
        )
        for applies in ways:
            off = [meets and applies(one) for one, meets in zip(lessons, near, strict=True)]
            if any(off):
                return off
        return [False] * len(lessons)

    def _meets(self, lesson: Neighbour, rooms: Set[str]) -> bool:
        """Whether a lesson lies in its time, and not certainly in another room."""
        return (
            lesson.start < self.end
            and self.start < lesson.end
            and not (
                lesson.places
                and self.places
                and all(number(one) or key(one) in rooms for one in self.places)
                and not any(is_same(one, other) for one in self.places for other in lesson.places)
            )
        )

    def _shares(self, lesson: Neighbour) -> bool:
        """Whether a word of letters stands in both titles, in whichever form."""
        return any(
            one == other or (min(len(one), len(other)) >= WORD and _begins(one, other))
            for one in self.subject
            if one.isalpha() and len(one) > 2
            for other in lesson.words
        )

    def _is_general(self, rooms: Set[str]) -> bool:
        """Whether it may speak of every lesson that it meets: not `Meeting cancelled` in the
        calendar of a whole school."""
        return bool(
            len(rooms) < 2
            or (self.places and all(number(one) or key(one) in rooms for one in self.places))
            or (self.day_off and self.end - self.start >= LONG)
        )


def _begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def notice(event: Any, zone: ZoneInfo) -> Notice | None:
    """What an event that calls off by its text says to others; None where it has no time."""
    start = attribute(event.get("DTSTART"), "dt")
    end = attribute(event.get("DTEND"), "dt")
    if not isinstance(start, date):
        return None
    begin = _moment(start, zone)
    shortest = timedelta(minutes=1) if isinstance(start, datetime) else timedelta(days=1)
    until = _moment(end, zone) if isinstance(end, date) else begin
    title, place = _title(event), place_of(event)
    return Notice(
        short(title),
        begin,
        max(until, begin + shortest),
        subject(title),
        day_off(title),
        () if calls_off(place) else tuple(parts(place)),
    )


def _moment(at: date, zone: ZoneInfo) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.combine(at, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _title(event: Any) -> str:
    return " ".join(str(one) for one in each(event, "SUMMARY"))
