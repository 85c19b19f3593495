"""Notices: events that stand beside a lesson in the calendar and call it off.

Whoever cannot change a series writes `Mathe entfällt` into the calendar, at its time, and
`Kein Unterricht` or `Ferien` over a day. What a program cancels by STATUS is none: that speaks of
itself alone. Where it is not sure which lesson is meant, those that may be are called off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.calendar_event import attribute, each, hours, is_of_days, moment, place_of, short
from edge.common.cancellation import (
    calls_off,
    classes,
    day_off,
    is_holiday,
    is_marked_holiday,
    lesson_words,
    speaks_of_another_day,
    subject,
    words,
)
from edge.common.places import ROOM_WORDS, names, number, parts

LONG = timedelta(hours=3)
"""A notice of so long a time speaks of no single lesson."""
LONG_HOURS = 5.0
"""No lesson about holidays is as long."""
STEM = 4
"""Letters that two forms of one word share, as Mathe, Mathematik and Matheunterricht."""


ONE_CLASS = re.compile(r"\d{1,2}[a-z]?")

ROOM = re.compile(
    rf"\b(?:{'|'.join(sorted(ROOM_WORDS - {'classe'}))}|hörsaal) ([A-Z]{{0,3}}[ .-]?\d[\w.-]*)\b"
    r"|\b([A-Z]{1,2}[ .-]?\d{2,4}[a-z]?)\b",
    re.IGNORECASE,
)
"""In a title: by a word for one, or as R101."""


class Neighbour(NamedTuple):
    """A lesson beside a notice."""

    words: frozenset[str]
    """Of its title, those that may name it."""
    places: frozenset[str]
    """As `names` has them."""
    start: datetime
    end: datetime

    @classmethod
    def of(cls, event: Any, start: datetime, end: datetime) -> Neighbour:
        return cls(lesson_words(_title(event)), _names(place_of(event)), start, end)


class Notice(NamedTuple):
    """What calls lessons off from `start` up to `end`, both aware."""

    title: str
    start: datetime
    end: datetime
    subject: frozenset[str]
    """Words of the title that do not call off: what it speaks of."""
    day_off: str
    """`school`, `lessons` or nothing: whether it says that nobody has any."""
    places: frozenset[str]
    """As `names` has them."""
    is_one_room: bool
    """Whether each of its places may be a room by its number."""

    def calls_off(
        self, lessons: Sequence[Neighbour], rooms: Set[str], *, is_of_one_room: bool
    ) -> list[bool]:
        """Of each lesson whether it does; `rooms` are the names of all places of the calendar."""
        has_room = bool(self.places & rooms)
        is_limited = has_room or (self.is_one_room and self.day_off != "school")
        near = [
            one.start < self.end
            and self.start < one.end
            and not (is_limited and one.places and one.places.isdisjoint(self.places))
            for one in lessons
        ]
        if self.day_off == "school":
            return near
        fits = [
            self._fit(one, is_of_one_room) if is_near else 0
            for one, is_near in zip(lessons, near, strict=True)
        ]
        if best := max(fits, default=0):
            return [fit == best for fit in fits]
        if self._is_general(is_limited or is_of_one_room):
            return near
        return [False] * len(lessons)

    def _fit(self, lesson: Neighbour, is_of_one_room: bool) -> int:
        """How well it fits a lesson that it meets; 0 where it does not."""
        pairs = {
            (one, other) for one in self.subject for other in lesson.words if _is_like(one, other)
        }
        if pairs and all(map(ONE_CLASS.fullmatch, self.subject)):
            return 11  # each lesson of the classes that have none
        by_subject, by_lesson = {one for one, _ in pairs}, {other for _, other in pairs}
        if pairs and (by_subject == self.subject or by_lesson == lesson.words):
            return 10 + len(pairs)
        # A class alone is too little: what else it has then stands in for what is off.
        is_here = is_of_one_room or not self.places.isdisjoint(lesson.places)
        if is_here and any(one.isalpha() for one in by_subject):
            return 2
        if (lesson.start, lesson.end) != (self.start, self.end):
            return 0
        return int(not lesson.words or (bool(self.subject) and self.subject <= lesson.places))

    def _is_general(self, is_of_one_room: bool) -> bool:
        """Whether it may speak of every lesson that it meets: not `Meeting cancelled` in the
        calendar of a whole school, and not what one class does not have."""
        if self.subject and not self.day_off:
            return False
        if any(letter.isdigit() for word in self.subject for letter in word):
            return False
        return is_of_one_room or (bool(self.day_off) and self.end - self.start >= LONG)


def _is_like(one: str, other: str) -> bool:
    """Whether two words are forms of one."""
    if one == other:
        return True
    for year, group in ((one, other), (other, one)):  # a whole year is off, and 7b with it
        if year.isdigit() and group.startswith(year) and group[len(year) :].isalpha():
            return True
    return one[:STEM] == other[:STEM] and len(one) >= STEM and one[:STEM].isalpha()


def _rooms_in(about: frozenset[str], title: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The rooms that a title itself names (`Raum 101 entfällt`, `No class in R101`), and what else
    it is about."""
    rooms = tuple(match[1] or match[2] for match in ROOM.finditer(title))
    tokens = {word for room in rooms for word in words(room)} | ROOM_WORDS
    return (rooms, about - tokens) if rooms else ((), about)


def _is_room(place: str) -> bool:
    """By a short name and a number; `Hauptstr. 12` is an address."""
    room = number(place)
    return room is not None and len(room[0]) <= 3


def _names(place: str) -> frozenset[str]:
    return frozenset().union(*map(names, parts(place)))


def is_day_off(event: Any) -> bool:
    """Whether it is an event of whole days, or longer than any lesson, that is called as holidays
    are."""
    if is_of_days(event) and is_marked_holiday(event):
        return True
    return (is_of_days(event) or hours(event) >= LONG_HOURS) and is_holiday(_title(event))


def notice(event: Any, zone: ZoneInfo, *, is_whole: bool = True) -> Notice | None:
    """What an event that calls off by its text says to others; None where it has no time.

    Of one that is not whole, because of a fault in it, the end is that of its day.
    """
    start = moment(event, "DTSTART")
    if start is None:
        return None
    title, place = _title(event), place_of(event)
    begin = _moment(start, zone)
    # Dates of several days say which they are, whatever weekday the title names.
    names_days = is_of_days(event) and _length(event, zone) > timedelta(days=1, hours=1)
    if not names_days and speaks_of_another_day(title, begin.astimezone(zone).date()):
        return None
    of_classes = classes(title) if is_day_off(event) else frozenset[str]()
    off = "school" if is_day_off(event) and not of_classes else day_off(title)
    midnight = datetime.combine(begin.astimezone(zone).date() + timedelta(days=1), time(), zone)
    end = attribute(event.get("DTEND"), "dt") if is_whole else midnight
    until = _moment(end, zone) if isinstance(end, date) else begin
    if until <= begin:  # a moment: from then on nobody has lessons, or what begins then is off
        until = midnight if off or is_of_days(event) else begin + timedelta(minutes=1)
    where = () if calls_off(place) else parts(place)
    about = of_classes or subject(title)
    if not where:
        where, about = _rooms_in(about, title)
    return Notice(
        short(title),
        begin,
        until,
        about,
        off,
        frozenset().union(*map(names, where)),
        bool(where) and all(map(_is_room, where)),
    )


def span_of(event: Any, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """From its start to its end, both aware; without an end, its first day or a moment."""
    start, end = moment(event, "DTSTART"), attribute(event.get("DTEND"), "dt")
    if start is None:
        return None
    begin = _moment(start, zone)
    until = _moment(end, zone) if isinstance(end, date) else begin
    least = timedelta(days=1) if is_of_days(event) else timedelta(minutes=1)
    return begin, max(until, begin + least)


def _length(event: Any, zone: ZoneInfo) -> timedelta:
    span, length = span_of(event, zone), attribute(event.get("DURATION"), "dt")
    own = span[1] - span[0] if span else timedelta()
    return max(own, length) if isinstance(length, timedelta) else own


def _moment(at: date, zone: ZoneInfo) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.combine(at, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _title(event: Any) -> str:
    return " ".join(str(one) for one in each(event, "SUMMARY"))
