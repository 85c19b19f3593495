"""Notices: events that stand beside a lesson in the calendar and call it off.

Whoever cannot change a series writes `Mathe entfällt` into the calendar, at its time, and
`Kein Unterricht` over a day. What a program cancels by STATUS is none: that speaks of itself alone.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.calendar_event import attribute, each, short
from edge.common.cancellation import calls_off, is_day_off, subject, words
from edge.common.places import key, parts


class Notice(NamedTuple):
    """What calls lessons off from `start` up to `end`, both aware."""

    title: str
    start: datetime
    end: datetime
    subject: frozenset[str]
    """Words of the title that do not call off: what it speaks of."""
    is_day_off: bool
    places: frozenset[str]
    """None where it does not say."""

    def meets(self, lesson: Any, start: datetime, end: datetime) -> bool:
        """Whether a lesson lies in its time and place."""
        elsewhere = _places(lesson)
        return (
            start < self.end
            and self.start < end
            and not (elsewhere and self.places and elsewhere.isdisjoint(self.places))
        )

    def names(self, lesson: Any) -> bool:
        """Whether it speaks of the lesson: either title may say more than the other."""
        title = words(_title(lesson))
        return title <= self.subject or (bool(self.subject) and self.subject <= title)

    def is_about(self, lesson: Any, neighbours: list[Any]) -> bool:
        """Whether it calls a lesson off; `neighbours` are all that it meets, itself included."""
        if not self.subject:
            return True
        if any(self.names(one) for one in neighbours):
            return self.names(lesson)
        return self.is_day_off


def notice(event: Any, zone: ZoneInfo) -> Notice | None:
    """What an event that calls off by its text says to others; None where it has no time."""
    start = attribute(event.get("DTSTART"), "dt")
    end = attribute(event.get("DTEND"), "dt")
    if not isinstance(start, date):
        return None
    whole = not isinstance(start, datetime)
    if not isinstance(end, date):
        end = start + timedelta(days=1 if whole else 0)
    begin, until = _moment(start, zone), _moment(end, zone)
    title = _title(event)
    return Notice(
        short(title),
        begin,
        max(until, begin + timedelta(minutes=1)),
        subject(title),
        whole and is_day_off(title),
        _places(event),
    )


def _moment(at: date, zone: ZoneInfo) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.combine(at, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _title(event: Any) -> str:
    return " ".join(str(one) for one in each(event, "SUMMARY"))


def _places(event: Any) -> frozenset[str]:
    texts = (str(one) for one in each(event, "LOCATION"))
    return frozenset(key(part) for text in texts if not calls_off(text) for part in parts(text))
