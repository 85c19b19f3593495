"""What of an event's times makes no sense, or none that the libraries would take rightly."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from edge.common.calendar_event import EventFault, attribute, is_broken
from edge.common.calendar_file import RELEVANT

FREQUENCIES = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
"""Nothing that takes a room repeats more often, and expanding it would take the processor."""

PARTS = {"FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYWEEKNO"}
PARTS |= {"BYYEARDAY", "BYSETPOS"}
"""Of a rule; not those that make several occurrences of one day."""

EVERY_WEEK = ("DAILY", "WEEKLY")
PLAIN = {"FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYDAY"}
"""Of a rule of EVERY_WEEK that needs no trying."""
LAST_LEAP_YEARS = 9960

EARLIEST, LATEST = 1970, 2200
FARTHEST = timedelta(days=1000)
"""An event that is longer, or an occurrence that is moved farther, has its dates wrong."""

TIMES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RDATE", "EXDATE", "RRULE", "EXRULE")
NEWEST = 1 << 31


def sequence(event: Any) -> int:
    """Its version; one that cannot be read may be the newest."""
    try:
        return int(event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        return NEWEST


def check_times(event: Any, zone: ZoneInfo) -> None:
    """Raises EventFault; makes what a rule says of its last day what people mean."""
    start = event.get("DTSTART")
    if start is None:
        raise EventFault("no DTSTART")
    for name in TIMES:
        values = event.get(name)
        if isinstance(values, list) and name in ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"):
            raise EventFault(f"{name} is there twice")
        for value in values if isinstance(values, list) else [values]:
            if value is None:
                continue
            if name == "EXRULE":
                raise EventFault("leaves days out by a rule (EXRULE)")
            if is_broken(value):
                raise EventFault(f"{name} cannot be read")
            _check_zone(name, value)
            if name == "RRULE":
                _check_rule(value, start.dt)
                _include_last_day(value, start.dt)
    if not isinstance(attribute(start, "dt"), date):
        raise EventFault("DTSTART is not a date or time")
    if not EARLIEST <= start.dt.year <= LATEST:
        raise EventFault(f"is in the year {start.dt.year}")
    if sequence(event) == NEWEST:
        raise EventFault("SEQUENCE cannot be read")
    if errors := [text for name, text in event.errors if str(name).upper() in RELEVANT]:
        raise EventFault(f"cannot be read: {errors[0]}"[:200])


def check_span(event: Any, zone: ZoneInfo) -> None:
    """Raises EventFault where an event and its end or its series do not fit: the library would swap
    an end and a start, and bear an end in another millennium."""
    start, end = event["DTSTART"].dt, attribute(event.get("DTEND"), "dt")
    length = attribute(event.get("DURATION"), "dt")
    if end is not None and isinstance(end, datetime) != isinstance(start, datetime):
        raise EventFault("begins at a time and ends with a day, or the other way round")
    if isinstance(length, timedelta) and length < timedelta():
        raise EventFault("ends before it starts")
    if isinstance(length, timedelta) and length > FARTHEST:
        raise EventFault("lasts for years")
    if end is not None:
        if utc(end, zone) < utc(start, zone):
            raise EventFault("ends before it starts")
        if utc(end, zone) - utc(start, zone) > FARTHEST:
            raise EventFault("lasts for years")
    occurrence = event.get("RECURRENCE-ID")
    if occurrence is not None:
        if abs(utc(occurrence.dt, zone) - utc(start, zone)) > FARTHEST:
            raise EventFault("is moved by years")
        if str(occurrence.params.get("RANGE", "THISANDFUTURE")).upper() != "THISANDFUTURE":
            raise EventFault("changes a part of its series that is not known (RANGE)")


def utc(at: date, zone: ZoneInfo) -> datetime:
    """A time of any kind, to be compared; raises OverflowError at the end of time."""
    moment = at if isinstance(at, datetime) else datetime.combine(at, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(timezone.utc)


def _check_zone(name: str, value: Any) -> None:
    zone = (attribute(value, "params") or {}).get("TZID")
    at = attribute(value, "dt")
    if zone and isinstance(at, datetime) and at.tzinfo is None:
        raise EventFault(f"{name}: unknown time zone {str(zone)[:60]}")


def _check_rule(rule: Any, start: date) -> None:
    """Raises EventFault for a rule that no lesson has, or that is searched in vain."""
    frequency = [str(value).upper() for value in rule.get("FREQ", [])]
    if len(frequency) != 1 or frequency[0] not in FREQUENCIES:
        raise EventFault(f"repeats in no way that is known (FREQ={','.join(frequency)})"[:120])
    if any(int(step) < 1 for step in rule.get("INTERVAL", [1])):
        raise EventFault("repeats without an interval (INTERVAL below 1)")
    if any(int(count) < 1 for count in rule.get("COUNT", [1])):
        raise EventFault("repeats not once (COUNT below 1)")
    if odd := sorted({str(name).upper() for name in rule} - PARTS):
        raise EventFault(f"repeats in no way that is known ({', '.join(odd)})"[:120])
    if "BYSETPOS" in rule and frequency[0] in ("DAILY", "WEEKLY"):
        raise EventFault("repeats in no way that is known (BYSETPOS within a day or week)")
    if "BYWEEKNO" in rule and frequency[0] != "YEARLY":
        raise EventFault("repeats in no way that is known (BYWEEKNO is for years)")
    if not _comes_true(rule, start):
        raise EventFault("repeats on a day that never comes")


def _comes_true(rule: Any, start: date) -> bool:
    """Whether a rule has any occurrence; one that has none is searched to the year 9999.

    So it is tried near that year, where the search is short, with the weekdays and leap years of
    all others.
    """
    if {str(name).upper() for name in rule} <= PLAIN and rule["FREQ"][0].upper() in EVERY_WEEK:
        return True
    from dateutil.rrule import rrulestr

    endless = ";".join(
        f"{name}={','.join(str(value) for value in values)}"
        for name, values in rule.items()
        if name.upper() not in ("UNTIL", "COUNT", "INTERVAL")
    )
    begin = datetime(LAST_LEAP_YEARS, start.month, start.day)
    return next(iter(rrulestr(endless, dtstart=begin)), None) is not None


def _include_last_day(rule: Any, start: date) -> None:
    """A date as the end of timed lessons means all of that day, and is read as its first moment."""
    until = rule.get("UNTIL", [None])[0]
    if isinstance(start, datetime) and until is not None and not isinstance(until, datetime):
        last = datetime.combine(until, time(23, 59, 59), start.tzinfo)
        rule["UNTIL"] = [last.astimezone(timezone.utc) if last.tzinfo else last]
