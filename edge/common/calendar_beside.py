"""Events that stand beside a lesson in its room, and nobody knows what they say: then it is off.

No list of words knows every way to write that a lesson does not take place. But a timetable repeats
itself: a lesson has its title week after week, and what somebody adds for a day has not. So of two
events of one room and time, with different titles, both are lessons only where both are usual, or
where both are there once, at the same time.
Whoever knows that one says nothing about the other writes its title into the settings.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from edge.common.calendar_event import attribute, each, first_day, place_of
from edge.common.cancellation import plain_text, words
from edge.common.places import key, names, parts

WEEK = timedelta(days=6)
"""A title that is there again after so long is a lesson's; a notice may be repeated for a week."""

BEFORE, AFTER = timedelta(days=10), timedelta(days=14)
"""Around a day, where a title is looked for: no further than what an agent reads of a calendar."""

SLOPPY = timedelta(minutes=10)
"""By which two lessons that follow each other may overlap, where the times are not kept well."""

CLASS = re.compile(r"\d{1,2}[a-z]?|[a-h]")
"""Of a title's words those that name a class: with them or without, it is the same lesson."""

HARMLESS = re.compile(
    r"(?:(?:odd|even|gerade|ungerade) )?"
    r"(?:week|woche|semaine|semana|kw|cw|sem)[ .-]*(?:[a-d]|\d{1,2})?"
    r"|[ab][ -]?(?:week|woche)"
    r"|(?:\S+ ){0,3}(?:birthday|geburtstag|anniversaire|cumpleanos)(?: (?:von|of|de|d') ?\S+)?"
    r"|(?:birthday|geburtstag|anniversaire|cumpleanos) (?:\S+ ?){1,3}"
    r"|(?:pausen)?aufsicht"
)
"""Titles without accents that say nothing of a lesson, and are none; everybody has them."""

BUSY = re.compile(
    r"busy|private|beschaftigt|privat|occupe|ocupado|belegt|gebucht|booked|reserviert|reserved|reserve"
    r"|reservado|prive|privado"
)
"""What a calendar says that shows no titles: a lesson's where it is there every week."""


class RoomEvent(NamedTuple):
    """An event of a day; `start` and `end` are aware."""

    title: str
    start: datetime
    end: datetime
    places: frozenset[str]
    """As `places.names` has them; none where it does not say where it is."""
    is_usual: bool
    is_lesson: bool
    """False for what opens nothing and may shut what it stands over: of whole days, marked as free
    time or not certain, with a fault, or calling something off that is not there."""

    def may_differ_from(self, other: RoomEvent) -> bool:
        """Whether one of the two may say that the other does not take place: not two lessons that
        are both usual, nor two groups that are there once, at exactly the same time."""
        if not (self.is_lesson or other.is_lesson) or _lesson(self.title) == _lesson(other.title):
            return False
        is_alike = (self.start, self.end) == (other.start, other.end)
        are_groups = is_alike and self.is_lesson and other.is_lesson
        return not (self.is_usual and other.is_usual) and (
            self.is_usual or other.is_usual or not are_groups
        )

    def is_beside(self, other: RoomEvent, is_of_one_room: bool) -> bool:
        """Whether both are in one room at one time."""
        overlap = min(self.end, other.end) - max(self.start, other.start)
        shorter = min(self.end - self.start, other.end - other.start)
        if overlap <= timedelta() or (overlap < SLOPPY and 3 * overlap < shorter):
            return False
        if self.places and other.places:
            return not self.places.isdisjoint(other.places)
        # What stands over a whole day without a place is about anything: an outing, an anniversary.
        return is_of_one_room and self.is_lesson and other.is_lesson


def doubtful(neighbours: Sequence[RoomEvent], is_of_one_room: bool) -> dict[int, str]:
    """By the index of each lesson that may not take place: the title of what stands beside it."""
    by_index: dict[int, str] = {}
    for index, one in enumerate(neighbours):
        for later, other in enumerate(neighbours[index + 1 :], index + 1):
            if one.may_differ_from(other) and one.is_beside(other, is_of_one_room):
                by_index.setdefault(index, other.title)
                by_index.setdefault(later, one.title)
    return {index: title for index, title in by_index.items() if neighbours[index].is_lesson}


class UsualTitles:
    """Which titles of a calendar are there week after week."""

    def __init__(self, series: Iterable[Sequence[Any]]) -> None:
        self._recurring = set[frozenset[str]]()
        self._days: dict[frozenset[str], set[date]] = defaultdict(set)
        for events in series:
            for event in events:
                day, lesson = first_day(event), _lesson(title_of(event))
                if day is None or event.get("RECURRENCE-ID") is not None:
                    continue
                if _recurs(event):
                    self._recurring.add(lesson)
                self._days[lesson].add(day)

    def has(self, title: str, day: date) -> bool:
        """Whether an event of this title is usual on a day."""
        lesson = _lesson(title)
        return lesson in self._recurring or any(
            abs(other - day) >= WEEK and day - BEFORE <= other <= day + AFTER
            for other in self._days.get(lesson, ())
        )


def is_harmless(title: str, harmless: Sequence[str]) -> bool:
    """Whether it says nothing of any lesson: as everybody knows, or as the settings say."""
    own = plain_text(title)
    return (
        is_no_lesson(own)
        or says_nothing(own)
        or any(fnmatchcase(own, plain_text(one)) for one in harmless)
    )


def says_nothing(title: str) -> bool:
    """Whether a title is none, or that somebody is busy."""
    own = plain_text(title)
    return not any(map(str.isalnum, own)) or bool(BUSY.fullmatch(own))


def is_no_lesson(title: str) -> bool:
    """Whether a title stands in everybody's calendar and is no lesson's: a week's, a birthday."""
    return bool(HARMLESS.fullmatch(plain_text(title)))


def title_of(event: Any) -> str:
    return " ".join(str(one) for one in each(event, "SUMMARY"))


def places_in(event: Any, same: Mapping[str, str]) -> frozenset[str]:
    """All names of the places that an event is in; `same` has the room by the key of a spelling."""
    text = place_of(event)
    places = parts(text)
    rooms = {same[key(one)] for one in (text, *places) if key(one) in same}
    return frozenset(rooms).union(*map(names, places))


def _lesson(title: str) -> frozenset[str]:
    """What two titles of one lesson share."""
    own = words(title)
    without_class = frozenset(word for word in own if not CLASS.fullmatch(word))
    return without_class or own or frozenset(plain_text(title).split())


def _recurs(event: Any) -> bool:
    """Whether its rule or its dates reach over more than a week."""
    first = first_day(event)
    if first is None:
        return False
    dates = [at for line in each(event, "RDATE") for at in attribute(line, "dts") or []]
    days = [attribute(at, "dt") for at in dates]
    others = [at.date() if isinstance(at, datetime) else at for at in days if isinstance(at, date)]
    if any(abs(other - first) >= WEEK for other in others):
        return True
    rule = event.get("RRULE")
    if not hasattr(rule, "get"):
        return False
    until, count = rule.get("UNTIL", [None])[0], rule.get("COUNT", [None])[0]
    if isinstance(until, date):
        last = until.date() if isinstance(until, datetime) else until
        return last - first >= WEEK
    if count is None:
        return True
    in_a_week = 7 if str(rule.get("FREQ", [""])[0]).upper() == "DAILY" else 1
    return int(count) > max(in_a_week, len(rule.get("BYDAY", [])))
