"""Events of an iCalendar file (RFC 5545), day by day; a fault stays with its event.

Recurrence, exceptions and time zones are icalendar's and recurring-ical-events'. What is ours is
distrust: only an event that says it takes place, and can be read to the end, is one.
"""

from __future__ import annotations

import logging
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.errors import UserError
from edge.common.text import decode

log = logging.getLogger(__name__)

FREQUENCIES = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
"""Nothing that takes a room repeats more often, and expanding it would take the processor."""

PARTS = {"FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYWEEKNO"}
PARTS |= {"BYYEARDAY", "BYSETPOS"}
"""Of a rule; not those that make several occurrences of one day."""

LEAP_YEAR = 2024

LONGEST = timedelta(days=1)
"""No lesson is longer; an event that is has its dates wrong, or is no lesson."""

INSTALL = "pip install 'roommood[calendar]'"


class Occurrence(NamedTuple):
    """An event that takes place, once; both times aware and in the reader's zone."""

    start: datetime
    end: datetime
    event: Any
    """icalendar's component, for its other properties."""


class IgnoredEvent(NamedTuple):
    """What does not count, and why."""

    event: str
    why: str


class Calendar:
    """The events of a file, in a time zone that floating times are taken to be in.

    `tentative`: whether events that are not yet certain count. Raises UserError (naming `where`)
    for what is no calendar at all.
    """

    def __init__(
        self, content: bytes, zone: ZoneInfo, where: str, *, tentative: bool = False
    ) -> None:
        self._zone = zone
        self._tentative = tentative
        parsed = _parse(content, where)
        self._called_off = str(parsed.get("METHOD", "")).upper() == "CANCEL"
        self.faults: list[IgnoredEvent] = []
        """Events that cannot be read, for the whole file."""
        self._events = self._readable(parsed)
        for fault in self.faults:
            log.warning("%s: event ignored: %s: %s", where, *fault)
        self._expand = lru_cache(maxsize=16)(self._expanded)

    def on(self, day: date) -> list[Occurrence]:
        """Timed events that take place and touch the day, the ones over midnight included."""
        return self._expand(day)[0]

    def ignored_on(self, day: date) -> list[IgnoredEvent]:
        """Events of the day that do not count, with the reason."""
        return self._expand(day)[1]

    def any_on(self, day: date) -> bool:
        """Whether the day has any event at all, of whole days or timed, tentative or not.

        For holidays: calendars mark whole days as free time, so that says nothing against them.
        """
        return self._expand(day)[2]

    def _readable(self, parsed: Any) -> Any:
        """Recurring-ical-events' query over the events that hold no fault."""
        series: dict[str, list[Any]] = defaultdict(list)
        for number, event in enumerate(parsed.walk("VEVENT")):
            series[str(event.get("UID", f"without UID {number}"))].append(event)
        repeats = {"RRULE", "RDATE"}
        good = [
            events
            for events in series.values()
            if self._passes(_check, events)
            and (not any(repeats & {*event} for event in events) or self._expands(parsed, events))
        ]
        try:
            return _query(_like(parsed, chain.from_iterable(good)), lenient=True)
        except Exception:  # one of them holds what nobody thought of: find out which
            good = [events for events in good if self._expands(parsed, events)]
            return _query(_like(parsed, chain.from_iterable(good)), lenient=True)

    def _expands(self, parsed: Any, events: list[Any]) -> bool:
        """Whether a series can be expanded near its start; an impossible rule cannot."""
        first = events[0]["DTSTART"].dt
        return self._passes(
            lambda own: _query(_like(parsed, own), lenient=False).between(first, timedelta(days=1)),
            events,
        )

    def _passes(self, check: Callable[[list[Any]], object], events: list[Any]) -> bool:
        """Whether a check goes through; else the fault is written down."""
        try:
            check(events)
        except _Fault as fault:
            self.faults.append(IgnoredEvent(describe(events[0]), str(fault)))
        except Exception as error:  # it is somebody's text: whatever it causes, it is its fault
            why = f"cannot be worked out ({error})"[:200]
            self.faults.append(IgnoredEvent(describe(events[0]), why))
        else:
            return True
        return False

    def _expanded(self, day: date) -> tuple[list[Occurrence], list[IgnoredEvent], bool]:
        begin = datetime.combine(day, time(), self._zone)
        end = datetime.combine(day + timedelta(days=1), time(), self._zone)
        takes_place, ignored, anything = [], [], False
        for event in self._events.between(begin, end):
            reason = self._stated(event)
            anything = anything or reason != "cancelled"
            if reason is None or (reason == "tentative" and self._tentative):
                try:
                    occurrence = self._occurrence(event)
                except _Fault as fault:
                    reason = str(fault)
                else:
                    if occurrence.start < end and occurrence.end > begin:
                        takes_place.append(occurrence)
                    continue
            ignored.append(IgnoredEvent(describe(event), reason))
        takes_place.sort(key=lambda one: (one.start, one.end))
        return takes_place, ignored, anything

    def _stated(self, event: Any) -> str | None:
        """Why an event does not take place by its own word; None where it does."""
        status = str(event.get("STATUS", "CONFIRMED")).strip().upper()
        if status == "CANCELLED" or self._called_off:
            return "cancelled"
        if str(event.get("TRANSP", "OPAQUE")).strip().upper() == "TRANSPARENT":
            return "marked as free time (TRANSP:TRANSPARENT)"
        if status == "TENTATIVE":
            return "tentative"
        return None if status == "CONFIRMED" else f"unknown status {status}"

    def _occurrence(self, event: Any) -> Occurrence:
        start, end = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
        if not isinstance(start, datetime) or event.get("X-MICROSOFT-CDO-ALLDAYEVENT") == "TRUE":
            raise _Fault("a whole day")
        if not isinstance(end, datetime):
            raise _Fault("no time at which it ends")
        start, end = self._aware(start), self._aware(end)
        if not timedelta() < end - start <= LONGEST:
            raise _Fault("does not end after it starts, or lasts longer than a day")
        return Occurrence(start.astimezone(self._zone), end.astimezone(self._zone), event)

    def _aware(self, at: datetime) -> datetime:
        """In UTC, since times of one zone are compared by the clock on the wall."""
        return (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(timezone.utc)


class _Fault(Exception):
    """What keeps an event from being read."""


def describe(event: Any) -> str:
    """An event as a person finds it again: its title, else its UID, and its first day."""
    summary = event.get("SUMMARY") or event.get("UID") or "event"
    title = " ".join(str(summary[0] if isinstance(summary, list) else summary).split())[:80]
    start = getattr(event.get("DTSTART"), "dt", None) if not _broken(event, "DTSTART") else None
    if isinstance(start, date):
        return f"{title} ({start:%Y-%m-%d})"
    return f"{title} (UID {event['UID']})" if "UID" in event else title


def _parse(content: bytes, where: str) -> Any:
    """icalendar's component; all calendars of a file that holds several, as one."""
    try:
        import icalendar
        import recurring_ical_events  # noqa: F401  # missing is said here, before it is needed
    except ModuleNotFoundError as missing:
        raise UserError(f"{missing.name} is missing, which reads it", where, f"{INSTALL}") from None
    try:
        text = decode(content)
        if "BEGIN:VCALENDAR" not in text.upper():
            raise ValueError("no BEGIN:VCALENDAR")
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
        if text.upper().count("BEGIN:VCALENDAR") != len(calendars):
            raise ValueError("it ends in the middle")
    except (ValueError, IndexError) as error:
        raise UserError(f"not an iCalendar file ({error})", where, "export it again") from None
    for more in calendars[1:]:
        for component in more.subcomponents:
            calendars[0].add_component(component)
    return calendars[0]


def _like(calendar: Any, events: Iterable[Any] = ()) -> Any:
    """The calendar's time zones and own properties, with these events alone."""
    import icalendar

    one = icalendar.Calendar()
    for name in ("VERSION", "PRODID", "X-WR-TIMEZONE"):
        if name in calendar:
            one[name] = calendar[name]
    for component in calendar.subcomponents:
        if component.name == "VTIMEZONE":
            one.add_component(component)
    for event in events:
        one.add_component(event)
    return one


def _broken(event: Any, name: str) -> bool:
    """Whether a property is there and has no value that can be read."""
    value = event.get(name)
    return value is not None and "Broken" in type(value).__name__


def _check(events: Iterable[Any]) -> None:
    """Raises _Fault for what recurring-ical-events would fail on, or take for something else.

    A fault in one changed occurrence takes the series: which day it would have changed, and
    whether it cancelled it, cannot be known.
    """
    for event in events:
        start = event.get("DTSTART")
        if start is None:
            raise _Fault("no DTSTART")
        for name in ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RDATE", "EXDATE", "RRULE"):
            values = event.get(name)
            for value in values if isinstance(values, list) else [values]:
                if isinstance(values, list) and name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
                    raise _Fault(f"{name} is there twice")
                if value is not None and "Broken" in type(value).__name__:
                    raise _Fault(f"{name} cannot be read")
                _check_zone(name, value)
                if name == "RRULE" and value is not None:
                    _check_rule(value)
                    _include_last_day(value, getattr(start, "dt", None))
        if not isinstance(getattr(start, "dt", None), date):
            raise _Fault("DTSTART is not a date or time")
        end = getattr(event.get("DTEND"), "dt", None)
        if _before(end, start.dt):
            raise _Fault("ends before it starts")
        if errors := [text for name, text in event.errors if name]:
            raise _Fault(f"cannot be read: {errors[0]}"[:200])


def _before(end: date | None, start: date) -> bool:
    """Of two times written alike; recurring-ical-events would swap them."""
    if not (isinstance(end, datetime) and isinstance(start, datetime)):
        return False
    return (end.tzinfo is None) == (start.tzinfo is None) and end < start


def _check_zone(name: str, value: Any) -> None:
    zone = getattr(value, "params", {}).get("TZID")
    at = getattr(value, "dt", None)
    if zone and isinstance(at, datetime) and at.tzinfo is None:
        raise _Fault(f"{name}: unknown time zone {str(zone)[:60]}")


def _check_rule(rule: Any) -> None:
    """Raises _Fault for a rule that no lesson has, or that is searched to the year 9999 in vain."""
    frequency = [str(value).upper() for value in rule.get("FREQ", [])]
    if len(frequency) != 1 or frequency[0] not in FREQUENCIES:
        raise _Fault(f"repeats in no way that is known (FREQ={','.join(frequency)})"[:120])
    if any(int(step) < 1 for step in rule.get("INTERVAL", [1])):
        raise _Fault("repeats without an interval (INTERVAL below 1)")
    if odd := sorted({str(name).upper() for name in rule} - PARTS):
        raise _Fault(f"repeats in no way that is known ({', '.join(odd)})"[:120])
    if "BYSETPOS" in rule and frequency[0] in ("DAILY", "WEEKLY"):
        raise _Fault("repeats in no way that is known (BYSETPOS within a day or week)")
    days = [abs(int(day)) for day in rule.get("BYMONTHDAY", [1])]
    months = [int(month) for month in rule.get("BYMONTH", [1])]
    if all(day > monthrange(LEAP_YEAR, month)[1] for day in days for month in months):
        raise _Fault("repeats on a day that no month has")


def _include_last_day(rule: Any, start: date | None) -> None:
    """A date as the end of timed lessons means all of that day, and is read as its first moment."""
    until = rule.get("UNTIL", [None])[0]
    if isinstance(start, datetime) and until is not None and not isinstance(until, datetime):
        last = datetime.combine(until, time(23, 59, 59), start.tzinfo)
        rule["UNTIL"] = [last.astimezone(timezone.utc) if last.tzinfo else last]


def _query(calendar: Any, *, lenient: bool) -> Any:
    """What can be asked for the events of a span of time; what was checked never raises then."""
    import recurring_ical_events

    return recurring_ical_events.of(calendar, skip_bad_series=lenient)
