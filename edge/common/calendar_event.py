"""What calendars, timetables and schedules say of an event that does not count."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any, NamedTuple

from edge.common.address import mask_path

DAY = 23.5
"""Hours: 23:59 is how some programs write a day's end."""

TITLE = 80
"""Characters of a title that a message has."""


ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://\S+")


class IgnoredEvent(NamedTuple):
    """What does not count, and why."""

    event: str
    why: str


class EventFault(Exception):
    """What keeps an event from being read."""


def describe(event: Any) -> str:
    """An event as a person finds it again: its title, else its UID, and its first day."""
    summary = event.get("SUMMARY") or event.get("UID") or "event"
    title = short(str(summary[0] if isinstance(summary, list) else summary))
    start = moment(event, "DTSTART")
    if start is not None:
        return f"{title} ({start:%Y-%m-%d})"
    return f"{title} (UID {short(str(event['UID']))})" if event.get("UID") else title


def place_of(event: Any) -> str:
    """Where an event is, as it writes it; of several lines one text."""
    return ", ".join(str(one) for one in each(event, "LOCATION"))


def is_of_days(event: Any) -> bool:
    """Whether it is of whole days: by its dates, by what Outlook writes beside its times, or from
    one midnight to another."""
    if str(event.get("X-MICROSOFT-CDO-ALLDAYEVENT", "")).strip().upper() == "TRUE":
        return True
    start = moment(event, "DTSTART")
    if not isinstance(start, datetime):
        return start is not None
    return start.time() == time() and hours(event) >= DAY


def hours(event: Any) -> float:
    """From its start to its end; 0 where one of them cannot be read, or is a day."""
    start, end = moment(event, "DTSTART"), moment(event, "DTEND")
    if not (isinstance(start, datetime) and isinstance(end, datetime)):
        return 0.0
    if (start.tzinfo is None) != (end.tzinfo is None):
        return 0.0
    return (end - start).total_seconds() / 3600


def short(text: str) -> str:
    """A text on one line, cut where it is long; of addresses in it the host, since a meeting's has
    its password in it."""
    plain = ADDRESS.sub(lambda match: mask_path(match[0]), " ".join(text.split()))
    return plain[:TITLE]


def moment(event: Any, name: str) -> date | None:
    """The day or time that a property holds; None where it holds none that can be read."""
    value = event.get(name)
    if isinstance(value, list):
        return None
    at = attribute(value, "dt")
    return at if isinstance(at, date) else None


def first_day(event: Any) -> date | None:
    """On which it begins, by its own clock; None where that cannot be read."""
    start = moment(event, "DTSTART")
    return start.date() if isinstance(start, datetime) else start


def attribute(value: Any, name: str) -> Any:
    """What icalendar has read of a property; None where it has not.

    One that it could not read raises errors of its own at every attribute, `getattr` or not.
    """
    return None if is_broken(value) else getattr(value, name, None)


def is_broken(value: Any) -> bool:
    """Whether icalendar could not read a property."""
    return "Broken" in type(value).__name__


def each(event: Any, name: str) -> list[Any]:
    """All values of a property, which may be there more than once."""
    value = event.get(name, [])
    return value if isinstance(value, list) else [value]
