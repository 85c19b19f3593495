"""Series of events: what of them can be worked out, and what of it was called off.

An event, its exceptions and its changed occurrences share a UID. Programs write them carelessly, so
what names a day but not the time at which the series is takes all of that day; an occurrence that
cannot be read is called off; and one that does not say which it is keeps its series shut, since
which day it would have cancelled cannot be known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timezone
from typing import Any
from zoneinfo import ZoneInfo

from edge.common.calendar_checks import check_span, check_times, sequence, utc
from edge.common.calendar_event import EventFault, IgnoredEvent, describe, each, moment
from edge.common.cancellation import event_calls_off

PAST = "changes an occurrence after the last one of its series (UNTIL), and stays off"
OLDER = "another event has its UID and a higher SEQUENCE, as a newer version of it has"
LEFT_OUT = "changes an occurrence that its series leaves out (EXDATE), and stays off with it"


def readable_series(
    events: Iterable[Any], zone: ZoneInfo, faults: list[IgnoredEvent], unread: list[Any]
) -> list[list[Any]]:
    """Events by series; those that hold a fault go to `unread`, and what is wrong to `faults`."""
    by_uid: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(events):
        by_uid[str(event.get("UID") or f"without UID {number}")].append(event)
    series = []
    for uid, group in by_uid.items():
        for number, one in enumerate(_apart(group, zone, faults, unread)):
            if number or not group[0].get("UID"):
                for event in one:  # or the library takes them for one
                    event["UID"] = f"{uid} ({number})"
            readable = [_readable(event, zone, faults) for event in one]
            if passes(lambda own: _check(own, zone, faults), readable, faults):
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


def _apart(
    group: list[Any], zone: ZoneInfo, faults: list[IgnoredEvent], unread: list[Any]
) -> list[list[Any]]:
    """Events of one UID, by what they are: versions of one event, or several that share it.

    Some programs give every lesson the same UID. Of versions the ones with the highest SEQUENCE
    hold; of two with the same, for one time and place, the cancelled one.
    """
    changes = [event for event in group if event.get("RECURRENCE-ID") is not None]
    mains = [event for event in group if event.get("RECURRENCE-ID") is None]
    if len(mains) < 2:
        return [[*mains, *_changes_left(mains, _newest(changes))]]
    with_dates = [event for event in mains if moment(event, "DTSTART") is not None]
    newest = max((sequence(event) for event in with_dates), default=-1)
    for event in mains:
        if moment(event, "DTSTART") is None:
            if is_cancelled(event) or sequence(event) > newest:
                return [[event, *changes]]  # the last word on all of them, or on who knows which
            faults.append(IgnoredEvent(describe(event), "no DTSTART that can be read"))
    valid = sorted((one for one in with_dates if sequence(one) == newest), key=is_cancelled)
    days = {moment(event, "DTSTART") for event in valid}
    for event in with_dates:
        if event not in valid and moment(event, "DTSTART") not in days:
            faults.append(IgnoredEvent(describe(event), OLDER))
            unread.append(event)
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


def _changes_left(mains: list[Any], changes: list[Any]) -> list[Any]:
    """Those that a series has not outlived: where all of it was cancelled later than an occurrence
    was changed, that one does not take place either."""
    for main in mains:
        if is_cancelled(main):
            for change in changes:
                has_status = has_cancelled_status(main)
                if sequence(main) > sequence(change) - has_status:
                    change["STATUS"] = "CANCELLED"
    return changes


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


def _newest(changes: list[Any]) -> list[Any]:
    """Of the changes of one occurrence the one that holds; of two versions alike, the cancelled."""
    by_occurrence: dict[str, Any] = {}
    for change in sorted(changes, key=lambda event: (sequence(event), is_cancelled(event))):
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
        check_times(event, zone)
        check_span(event, zone)
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


def _check(events: list[Any], zone: ZoneInfo, faults: list[IgnoredEvent]) -> None:
    """Raises EventFault for what the library would fail on, or take for something else."""
    for event in events:
        check_times(event, zone)
        check_span(event, zone)
    mains = [event for event in events if event.get("RECURRENCE-ID") is None]
    if mains:
        _call_off(
            mains[-1], [one for one in events if one.get("RECURRENCE-ID") is not None], zone, faults
        )


def _call_off(main: Any, changes: list[Any], zone: ZoneInfo, faults: list[IgnoredEvent]) -> None:
    """Makes what calls occurrences off by the day alone, or by another time, do so.

    `main` is the series, `changes` its changed occurrences. Raises EventFault where a change of
    all that follows fits nowhere.
    """
    start = main["DTSTART"].dt
    if not isinstance(start, datetime):
        return
    _restate_dates(main, start)
    series = _Times(main, start, zone)
    left_out = _dates(main, "EXDATE")
    days = {series.day_of(at) for at in left_out if not series.has(at)}
    moments = {utc(at, zone) for at in left_out if series.has(at)}
    for change in changes:
        at = change["RECURRENCE-ID"].dt
        if not is_cancelled(change) and _is_past(main, change, zone):
            change["STATUS"] = "CANCELLED"
            faults.append(IgnoredEvent(describe(change), PAST))
        if series.has(at):
            if utc(at, zone) in moments and not is_cancelled(change):
                faults.append(IgnoredEvent(describe(change), LEFT_OUT))
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


def _is_past(main: Any, change: Any, zone: ZoneInfo) -> bool:
    """Whether a series ended before the occurrence that a change is of, and not by that change."""
    rule = main.get("RRULE")
    until = rule.get("UNTIL", [None])[0] if hasattr(rule, "get") else None
    if not isinstance(until, date) or sequence(change) > sequence(main):
        return False
    return utc(change["RECURRENCE-ID"].dt, zone) > utc(until, zone)


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
        self._extra = {utc(at, zone) for at in self.extra}

    def has(self, at: date) -> bool:
        """Whether the series may have an occurrence then; not on which days."""
        if not isinstance(at, datetime):
            return False
        return self._local(at).time() == self._start.time() or utc(at, self._zone) in self._extra

    def day_of(self, at: date) -> date:
        """The day that is meant; midnight is how some programs write a day."""
        if not isinstance(at, datetime):
            return at
        return at.date() if at.time() == time() else self._local(at).date()

    def _local(self, at: datetime) -> datetime:
        """By the series' own clock on the wall."""
        if at.tzinfo is None:
            return at
        return utc(at, self._zone).astimezone(self._start.tzinfo or self._zone)


def _dates(event: Any, name: str) -> list[Any]:
    """All times of RDATE or EXDATE; of a period the start."""
    times = [one.dt for one in _values(event, name)]
    return [at[0] if isinstance(at, tuple) else at for at in times]


def _values(event: Any, name: str) -> list[Any]:
    """All values of a property, which may stand on several lines."""
    return [one for line in each(event, name) for one in line.dts]
