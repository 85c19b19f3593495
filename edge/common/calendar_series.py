"""Series of events: what of them can be worked out, and what of it was called off.

An event, its exceptions and its changed occurrences share a UID. Programs write them carelessly, so
what names a day but not the time at which the series is takes all of that day; an occurrence that
cannot be read is called off; and one that does not say which it is keeps its series shut, since
which day it would have cancelled cannot be known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from edge.common.calendar_event import (
    EventFault,
    IgnoredEvent,
    attribute,
    describe,
    each,
    is_broken,
    moment,
)
from edge.common.calendar_file import RELEVANT
from edge.common.cancellation import event_calls_off

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
NEWEST = 1 << 31
FARTHEST = timedelta(days=1000)
"""An event that is longer, or an occurrence that is moved farther, has its dates wrong."""

TIMES = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RDATE", "EXDATE", "RRULE", "EXRULE")


def readable_series(
    events: Iterable[Any], zone: ZoneInfo, faults: list[IgnoredEvent], unread: list[Any]
) -> list[list[Any]]:
    """Events by series; those that hold a fault go to `unread`, and what is wrong to `faults`."""
    by_uid: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(events):
        by_uid[str(event.get("UID") or f"without UID {number}")].append(event)
    series = []
    for uid, group in by_uid.items():
        for number, one in enumerate(_apart(group, zone, faults)):
            if number or not group[0].get("UID"):
                for event in one:  # or the library takes them for one
                    event["UID"] = f"{uid} ({number})"
            readable = [_readable(event, zone, faults) for event in one]
            if passes(lambda own: _check(own, zone), readable, faults):
                series.append(readable)
            else:
                unread += readable
    return series


def passes(
    check: Callable[[list[Any]], object], events: list[Any], faults: list[IgnoredEvent]
) -> bool:
    """Whether a check goes through; else the fault is written down."""
    try:
        check(events)
    except EventFault as fault:
        faults.append(IgnoredEvent(describe(events[0]), str(fault)))
    except Exception as error:  # it is somebody's text: whatever it causes, it is its fault
        why = f"cannot be worked out ({error})"[:200]
        faults.append(IgnoredEvent(describe(events[0]), why))
    else:
        return True
    return False


def is_cancelled(event: Any) -> bool:
    """By its STATUS, in either spelling, or by what its title says."""
    return has_cancelled_status(event) or event_calls_off(event)


def has_cancelled_status(event: Any) -> bool:
    return str(event.get("STATUS", "")).strip().upper() in ("CANCELLED", "CANCELED")


def _apart(group: list[Any], zone: ZoneInfo, faults: list[IgnoredEvent]) -> list[list[Any]]:
    """Events of one UID, by what they are: versions of one event, or several that share it.

    Some programs give every lesson the same UID. Of versions the ones with the highest SEQUENCE
    hold; of two with the same, for one time and place, the cancelled one.
    """
    changes = [event for event in group if event.get("RECURRENCE-ID") is not None]
    mains = [event for event in group if event.get("RECURRENCE-ID") is None]
    if len(mains) < 2:
        return [[*mains, *_newest(changes)]]
    with_dates = [event for event in mains if moment(event, "DTSTART") is not None]
    newest = max((_sequence(event) for event in with_dates), default=-1)
    for event in mains:
        if moment(event, "DTSTART") is None:
            if is_cancelled(event) or _sequence(event) > newest:
                return [[event, *changes]]  # the last word on all of them, or on who knows which
            faults.append(IgnoredEvent(describe(event), "no DTSTART that can be read"))
    valid = sorted((one for one in with_dates if _sequence(one) == newest), key=is_cancelled)
    places = {_place(event): event for event in valid}
    nowhere = {start: event for (start, place), event in places.items() if not place}
    versions = {
        id(event): event
        for event in (
            nowhere[start] if start in nowhere and is_cancelled(nowhere[start]) else event
            for (start, _), event in places.items()
        )
    }
    return _with_changes(list(versions.values()), _newest(changes), zone)


def _with_changes(mains: list[Any], changes: list[Any], zone: ZoneInfo) -> list[list[Any]]:
    """Events that share a UID, each with the changes that may be its own.

    What calls an occurrence off does so for all that may have it; other changes count once.
    """
    series = [[main] for main in mains]
    for change in changes:
        owners = [one for one in series if _may_have(one[0], change, zone)] or series
        for one in owners if is_cancelled(change) else owners[:1]:
            one.append(change.copy())
    return series


def _may_have(main: Any, change: Any, zone: ZoneInfo) -> bool:
    start, at = moment(main, "DTSTART"), moment(change, "RECURRENCE-ID")
    if not isinstance(start, datetime) or at is None:
        return True
    try:
        return _Times(main, start, zone).has(at)
    except Exception:  # a fault of the series, which is named when it is checked
        return True


def _place(event: Any) -> tuple[date | None, str]:
    """Where and when an event is."""
    return moment(event, "DTSTART"), str(event.get("LOCATION", "")).strip().casefold()


def _sequence(event: Any) -> int:
    """Its version; one that cannot be read may be the newest."""
    try:
        return int(event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        return NEWEST


def _newest(changes: list[Any]) -> list[Any]:
    """Of the changes of one occurrence the one that holds; of two versions alike, the cancelled."""
    by_occurrence: dict[str, Any] = {}
    for change in sorted(changes, key=lambda event: (_sequence(event), is_cancelled(event))):
        at = moment(change, "RECURRENCE-ID")
        if isinstance(at, datetime) and at.tzinfo:
            at = at.astimezone(timezone.utc)
        # One that cannot be read stays: it is a fault of its series.
        by_occurrence[f"{at}" if at is not None else f"fault {id(change)}"] = change
    return list(by_occurrence.values())


def _readable(event: Any, zone: ZoneInfo, faults: list[IgnoredEvent]) -> Any:
    """A changed occurrence that cannot be read is called off, and its series goes on, where it says
    which of them it is; any other event is as it was."""
    if event.get("RECURRENCE-ID") is None:
        return event
    try:
        _check_times(event, zone)
        _check_span(event, zone)
    except Exception as error:  # an EventFault, or whatever somebody's text causes in a library
        if not _names_one(event):
            return event
        off = type(event)()
        for name in ("UID", "SUMMARY", "LOCATION"):
            if name in event:
                off[name] = event[name]
        off["RECURRENCE-ID"] = off["DTSTART"] = event["RECURRENCE-ID"]
        off["STATUS"] = "CANCELLED"
        faults.append(IgnoredEvent(describe(off), str(error)[:200]))
        return off
    return event


def _names_one(event: Any) -> bool:
    """Whether it says which one occurrence it changes."""
    at, which = moment(event, "RECURRENCE-ID"), event["RECURRENCE-ID"]
    if at is None or "RANGE" in which.params:
        return False
    return not isinstance(at, datetime) or at.tzinfo is not None or "TZID" not in which.params


def _check(events: list[Any], zone: ZoneInfo) -> None:
    """Raises EventFault for what the library would fail on, or take for something else."""
    for event in events:
        _check_times(event, zone)
        _check_span(event, zone)
    mains = [event for event in events if event.get("RECURRENCE-ID") is None]
    if mains:
        _call_off(mains[-1], [one for one in events if one.get("RECURRENCE-ID") is not None], zone)


def _check_times(event: Any, zone: ZoneInfo) -> None:
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
    if _sequence(event) == NEWEST:
        raise EventFault("SEQUENCE cannot be read")
    if errors := [text for name, text in event.errors if str(name).upper() in RELEVANT]:
        raise EventFault(f"cannot be read: {errors[0]}"[:200])


def _check_span(event: Any, zone: ZoneInfo) -> None:
    """The library would swap an end and a start, and bear an end in another millennium."""
    start, end = event["DTSTART"].dt, attribute(event.get("DTEND"), "dt")
    length = attribute(event.get("DURATION"), "dt")
    if end is not None and isinstance(end, datetime) != isinstance(start, datetime):
        raise EventFault("begins at a time and ends with a day, or the other way round")
    if isinstance(length, timedelta) and length < timedelta():
        raise EventFault("ends before it starts")
    if isinstance(length, timedelta) and length > FARTHEST:
        raise EventFault("lasts for years")
    if end is not None:
        if _utc(end, zone) < _utc(start, zone):
            raise EventFault("ends before it starts")
        if _utc(end, zone) - _utc(start, zone) > FARTHEST:
            raise EventFault("lasts for years")
    occurrence = event.get("RECURRENCE-ID")
    if occurrence is not None:
        if abs(_utc(occurrence.dt, zone) - _utc(start, zone)) > FARTHEST:
            raise EventFault("is moved by years")
        if str(occurrence.params.get("RANGE", "THISANDFUTURE")).upper() != "THISANDFUTURE":
            raise EventFault("changes a part of its series that is not known (RANGE)")


def _utc(at: date, zone: ZoneInfo) -> datetime:
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


def _call_off(main: Any, changes: list[Any], zone: ZoneInfo) -> None:
    """Makes what calls occurrences off by the day alone, or by another time, do so.

    `main` is the series, `changes` its changed occurrences. Raises EventFault where a change of
    all that follows fits nowhere.
    """
    start = main["DTSTART"].dt
    if not isinstance(start, datetime):
        return
    _restate_dates(main, start)
    series = _Times(main, start, zone)
    days = {series.day_of(at) for at in _dates(main, "EXDATE") if not series.has(at)}
    for change in changes:
        at = change["RECURRENCE-ID"].dt
        if series.has(at):
            continue
        if change["RECURRENCE-ID"].params.get("RANGE"):
            raise EventFault("changes all that follows an occurrence which it does not have")
        if is_cancelled(change):
            days.add(series.day_of(at))
        elif not isinstance(at, datetime):
            change["RECURRENCE-ID"].dt = datetime.combine(at, start.time(), start.tzinfo)
    for day in days:
        main.add("EXDATE", datetime.combine(day, start.time(), start.tzinfo))
    for at in series.extra:
        if series.day_of(at) in days:
            main.add("EXDATE", at)


def _restate_dates(main: Any, start: datetime) -> None:
    """What the library would take for something else: an extra day without a time
    (RDATE;VALUE=DATE) is not at midnight but at the series' time, and a period that is left out
    (EXDATE;VALUE=PERIOD) begins when its occurrence does."""
    for one in _values(main, "RDATE"):
        if not isinstance(one.dt, datetime | tuple):
            one.dt = datetime.combine(one.dt, start.time(), start.tzinfo)
    for one in _values(main, "EXDATE"):
        if isinstance(one.dt, tuple):
            one.dt = one.dt[0]


class _Times:
    """When a series may have occurrences: by its rule at one time of day, and at its RDATEs."""

    def __init__(self, main: Any, start: datetime, zone: ZoneInfo) -> None:
        self._start, self._zone = start, zone
        self.extra = [at for at in _dates(main, "RDATE") if isinstance(at, datetime)]
        self._extra = {_utc(at, zone) for at in self.extra}

    def has(self, at: date) -> bool:
        """Whether the series may have an occurrence then; not on which days."""
        if not isinstance(at, datetime):
            return False
        return self._local(at).time() == self._start.time() or _utc(at, self._zone) in self._extra

    def day_of(self, at: date) -> date:
        """The day that is meant; midnight is how some programs write a day."""
        if not isinstance(at, datetime):
            return at
        return at.date() if at.time() == time() else self._local(at).date()

    def _local(self, at: datetime) -> datetime:
        """By the series' own clock on the wall."""
        if at.tzinfo is None:
            return at
        return _utc(at, self._zone).astimezone(self._start.tzinfo or self._zone)


def _dates(event: Any, name: str) -> list[Any]:
    """All times of RDATE or EXDATE; of a period the start."""
    times = [one.dt for one in _values(event, name)]
    return [at[0] if isinstance(at, tuple) else at for at in times]


def _values(event: Any, name: str) -> list[Any]:
    """All values of a property, which may stand on several lines."""
    return [one for line in each(event, name) for one in line.dts]
