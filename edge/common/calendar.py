"""Events of an iCalendar file (RFC 5545), day by day; a fault stays with its event.

Recurrence, exceptions and time zones are icalendar's and recurring-ical-events'. What is ours is
distrust: only an event that says it takes place, and can be read to the end, is one. The file is
taken apart in `calendar_file.py`, series are checked in `calendar_series.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from edge.common.calendar_beside import (
    RoomEvent,
    UsualTitles,
    doubtful,
    is_harmless,
    is_no_lesson,
    places_in,
    says_nothing,
    title_of,
)
from edge.common.calendar_event import (
    EventFault,
    IgnoredEvent,
    attribute,
    describe,
    each,
    first_day,
    is_of_days,
    place_of,
    short,
)
from edge.common.calendar_file import read_file
from edge.common.calendar_notice import Neighbour, Notice, is_day_off, notice, span_of
from edge.common.calendar_range import DayRange
from edge.common.calendar_series import has_cancelled_status, passes, readable_series
from edge.common.cancellation import TEXT_SAYS, calls_off, event_calls_off, is_tentative
from edge.common.places import key, names, parts

log = logging.getLogger(__name__)

LONGEST = timedelta(hours=23)
"""No lesson is longer; an event that is has its dates wrong, or is no lesson."""

REFUSALS = ("cancelled", TEXT_SAYS, "tentative")
"""Why an event of whole days is no holiday."""

SILENT = ("cancelled", TEXT_SAYS, "declined by its room", "a holiday")
"""Why an event says nothing of others, or says it as a notice."""

BUSY_ONCE = "says no more than that somebody is busy, and is not there every week"

UNKNOWN_BESIDE = (
    "something stands beside it in its room that nobody knows; if it says nothing of lessons, "
    "write its title into `harmless`"
)

FREE = {"FREE", "OOF", "WORKINGELSEWHERE"}
"""Outlook's other words for time in which nothing takes place here."""


class Occurrence(NamedTuple):
    """An event that takes place, once; both times aware and in the reader's zone."""

    start: datetime
    end: datetime
    event: Any
    """icalendar's component, for its other properties."""


class Calendar:
    """The events of a file, in a time zone that floating times are taken to be in.

    With `days`, of these days alone: of a large file the rest is not read. `harmless` are titles
    of events that say nothing of a lesson beside them, `*` for any letters; `same` has for the
    keys of spellings the room that they mean. `tentative`: whether
    events that are not yet certain count; `logs`: whether faults go to the log, as they should not
    where a command prints them. Raises UserError (naming `where`) for what is no calendar at all.
    """

    def __init__(
        self,
        content: bytes,
        zone: ZoneInfo,
        where: str,
        *,
        tentative: bool = False,
        logs: bool = True,
        days: DayRange | None = None,
        harmless: Sequence[str] = (),
        same: Mapping[str, str] | None = None,
    ) -> None:
        self._zone, self._where = zone, where
        self._harmless, self._same = harmless, same or {}
        self._tentative, self._logs = tentative, logs
        self._frame, events, self.faults, unread, places = read_file(content, where, days)
        self._series = readable_series(events, zone, self.faults, unread)
        self._events = self._query()
        self._log(self.faults)
        self._notices = self._uids_of_notices()
        self._usual = UsualTitles(self._series)
        self._remains = [one for one in map(self._remains_of, unread) if one]
        """Notices with a fault, which call off until their day ends."""
        self._fault_days = {first_day(one) for one in unread if not has_cancelled_status(one)}
        """The first days of events with a fault."""
        self._has_more = bool(places)
        self.places = [*self._every_place(), *places]
        """Where each timed event is, as it writes it; empty where it does not say."""
        rooms = {part for place in set(self.places) for part in parts(place)}
        self._rooms = frozenset().union(*map(names, rooms))
        self._is_of_one_room = len({key(room) for room in rooms}) < 2
        self._expand = lru_cache(maxsize=16)(self._occurrences_on)

    def on(self, day: date) -> list[Occurrence]:
        """Timed events that take place and touch the day, the ones over midnight included."""
        return self._expand(day)[0]

    def ignored_on(self, day: date) -> list[IgnoredEvent]:
        """Events of the day that do not count, with the reason."""
        return self._expand(day)[1]

    def any_on(self, day: date) -> bool:
        """Whether the day has any event at all, of whole days or timed, tentative or not; one with
        a fault is on its first day.

        For holidays: calendars mark whole days as free time, so that says nothing against them,
        and a title that calls lessons off is what makes a day one.
        """
        return self._expand(day)[2] or day in self._fault_days

    def _uids_of_notices(self) -> set[str]:
        """Of events that call off from their first word; one changed occurrence of a series is
        what it changes, and says nothing of others."""
        first = (series[0] for series in self._series)
        return {
            str(event["UID"])
            for event in first
            if "UID" in event and not has_cancelled_status(event) and event_calls_off(event)
        }

    def _remains_of(self, event: Any) -> Notice | None:
        """What an event with a fault says to others, if anything; it says so on its first day."""
        if has_cancelled_status(event) or not (event_calls_off(event) or is_day_off(event)):
            return None
        return notice(event, self._zone, is_whole=False)

    @property
    def is_empty(self) -> bool:
        """Whether the file has no event at all, not even one that cannot be read."""
        return not self._series and not self.faults and not self._has_more

    def _every_place(self) -> list[str]:
        events = chain.from_iterable(self._series)
        return [
            "" if calls_off(place) else place
            for event in events
            if str(event.get("UID")) not in self._notices and not is_of_days(event)
            for place in [place_of(event)]
        ]

    def _log(self, faults: Iterable[IgnoredEvent]) -> None:
        for fault in faults if self._logs else ():
            log.warning("%s: event ignored: %s: %s", self._where, *fault)

    def _query(self) -> Any:
        """Recurring-ical-events' query over all series that are left."""
        try:
            return _query(_like(self._frame, chain.from_iterable(self._series)))
        except Exception:  # one of them holds what nobody thought of: find out which
            self._series = [one for one in self._series if self._expands(one)]
            return _query(_like(self._frame, chain.from_iterable(self._series)))

    def _expands(self, series: list[Any], day: date | None = None) -> bool:
        """Whether a series can be expanded on a day, or near its start; else it is a fault."""
        first = day or series[0]["DTSTART"].dt
        return passes(
            lambda own: _query(_like(self._frame, own)).between(first, timedelta(days=1)),
            series,
            self.faults,
        )

    def _between(self, day: date, begin: datetime, end: datetime) -> list[Any]:
        """The events of a day; a series that fails on this day is a fault from then on."""
        try:
            return list(self._events.between(begin, end))
        except Exception:
            before = len(self.faults)
            self._series = [one for one in self._series if self._expands(one, day)]
            self._log(self.faults[before:])
            self._events = self._query()
            return list(self._events.between(begin, end))

    def _occurrences_on(self, day: date) -> tuple[list[Occurrence], list[IgnoredEvent], bool]:
        begin = datetime.combine(day, time(), self._zone)
        end = datetime.combine(day + timedelta(days=1), time(), self._zone)
        takes_place, ignored_events, anything = [], [], False
        notices, others = list[tuple[Notice, Any]](), list[Any]()
        for event in self._between(day, begin, end):
            reason = self._own_refusal(event)
            anything = anything or reason != "cancelled"
            if reason is None or (reason == "tentative" and self._tentative):
                try:
                    occurrence = self._occurrence(event)
                except EventFault as fault:
                    reason = str(fault)
                else:
                    reason = self._unusual(event, day)
                    if reason is None:
                        if occurrence.start < end and occurrence.end > begin:
                            takes_place.append(occurrence)
                        continue
            ignored_events.append(IgnoredEvent(describe(event), reason))
            if reason not in SILENT:
                others.append(event)
            is_notice = reason == TEXT_SAYS and str(event.get("UID")) in self._notices
            if is_notice or (reason not in REFUSALS and is_day_off(event)):
                notices += [(one, event) for one in [notice(event, self._zone)] if one]
        for words, event in notices:
            before = len(takes_place)
            takes_place = self._without(takes_place, words, ignored_events)
            if len(takes_place) == before:  # it fits none that is here: in words that nobody knows
                others.append(event)
        for words in self._remains:
            takes_place = self._without(takes_place, words, ignored_events)
        takes_place = self._without_doubtful(takes_place, others, ignored_events)
        takes_place.sort(key=lambda one: (one.start, one.end))
        return takes_place, ignored_events, anything

    def _without(
        self, takes_place: list[Occurrence], words: Notice, ignored_events: list[IgnoredEvent]
    ) -> list[Occurrence]:
        """The occurrences that a notice leaves; what it calls off is added to `ignored_events`."""
        near = [Neighbour.of(one.event, one.start, one.end) for one in takes_place]
        off = words.calls_off(near, self._rooms, is_of_one_room=self._is_of_one_room)
        ignored_events += [
            IgnoredEvent(describe(one.event), f"called off by {words.title}")
            for one, is_off in zip(takes_place, off, strict=True)
            if is_off
        ]
        return [one for one, is_off in zip(takes_place, off, strict=True) if not is_off]

    def _without_doubtful(
        self,
        takes_place: list[Occurrence],
        others: list[Any],
        ignored_events: list[IgnoredEvent],
    ) -> list[Occurrence]:
        """The occurrences beside which nothing stands that nobody knows, see calendar_beside.py."""
        lessons = [one for one in takes_place if not self._is_harmless(one.event)]
        neighbours = [self._neighbour(one.event, one.start, one.end, True) for one in lessons]
        for event in others:
            if not self._is_harmless(event) and (span := span_of(event, self._zone)):
                neighbours.append(self._neighbour(event, *span, False))
        by_index = doubtful(neighbours, self._is_of_one_room)
        off = {id(lessons[index]): title for index, title in by_index.items()}
        ignored_events += [
            IgnoredEvent(describe(one.event), f"{UNKNOWN_BESIDE}: {short(off[id(one)])}")
            for one in lessons
            if id(one) in off
        ]
        return [one for one in takes_place if id(one) not in off]

    def _is_harmless(self, event: Any) -> bool:
        return is_harmless(title_of(event), self._harmless)

    def _neighbour(self, event: Any, start: datetime, end: datetime, is_lesson: bool) -> RoomEvent:
        title = title_of(event)
        is_usual = not is_of_days(event) and self._usual.has(title, start.date())
        places = places_in(event, self._same)
        return RoomEvent(title, start, end, places, is_usual, is_lesson)

    def _unusual(self, event: Any, day: date) -> str | None:
        """Why an event that takes place is not one of the lessons that the calendar has."""
        title = title_of(event)
        is_busy = any(map(str.isalnum, title)) and says_nothing(title)
        return BUSY_ONCE if is_busy and not self._usual.has(title, day) else None

    def _own_refusal(self, event: Any) -> str | None:
        """Why an event does not take place by its own word; None where it does."""
        if has_cancelled_status(event) or event_calls_off(event):
            return "cancelled" if has_cancelled_status(event) else TEXT_SAYS
        if not is_of_days(event) and is_day_off(event):
            return "a holiday"
        if is_no_lesson(title_of(event)) and not is_of_days(event):
            return "no lesson by its title"
        return self._own_marks(event)

    def _own_marks(self, event: Any) -> str | None:
        """The same, by what programs write beside the title."""
        if (secrecy := _word(event, "CLASS")) in ("PRIVATE", "CONFIDENTIAL"):
            return f"marked as private (CLASS:{secrecy})"
        status, busy = _word(event, "STATUS"), _word(event, "X-MICROSOFT-CDO-BUSYSTATUS")
        transparency = _word(event, "TRANSP")
        free = busy if busy in FREE else None
        if transparency not in ("OPAQUE", None):
            free = f"TRANSP:{transparency}"
        if free:
            return f"marked as free time ({free})"
        if any(_declines(one) for one in each(event, "ATTENDEE")):
            return "declined by its room"
        if status not in ("CONFIRMED", "TENTATIVE", "", None):
            return f"unknown status {status}"
        by_title = any(is_tentative(str(one)) for one in each(event, "SUMMARY"))
        return "tentative" if by_title or "TENTATIVE" in (status, busy) else None

    def _occurrence(self, event: Any) -> Occurrence:
        start, end = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
        if is_of_days(event) or not isinstance(start, datetime):
            raise EventFault("a whole day")
        if not isinstance(end, datetime):
            raise EventFault("no time at which it ends")
        start, end = self._aware(start), self._aware(end)
        if end - start > LONGEST:
            raise EventFault("takes the whole day")
        if end <= start:
            raise EventFault("does not end after it starts")
        return Occurrence(start.astimezone(self._zone), end.astimezone(self._zone), event)

    def _aware(self, at: datetime) -> datetime:
        """In UTC, since times of one zone are compared by the clock on the wall."""
        return (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(timezone.utc)


def _declines(attendee: Any) -> bool:
    """Whether it is a room, or what else is booked, that is not to be had."""
    params = attribute(attendee, "params") or {}
    upper = {name.upper(): str(value).upper() for name, value in params.items()}
    return upper.get("CUTYPE") in ("ROOM", "RESOURCE") and upper.get("PARTSTAT") == "DECLINED"


def _word(event: Any, name: str) -> str | None:
    """A property that is one word."""
    value = event.get(name)
    return None if value is None else str(value).strip().upper()


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


def _query(calendar: Any) -> Any:
    """What can be asked for the events of a span of time."""
    import recurring_ical_events

    return recurring_ical_events.of(calendar)
