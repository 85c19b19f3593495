"""From the bytes of an iCalendar file to its events, each apart: a fault stays where it is.

The file is taken apart before icalendar sees it, which gives up on all of it for one alarm, task or
time zone that is written wrongly. What is neither an event nor a time zone is left out here.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.common.calendar_event import EventFault, IgnoredEvent, describe, short
from edge.common.calendar_range import DayRange, divide, property_name
from edge.common.calendar_zone import with_standard_names
from edge.common.errors import UserError
from edge.common.text import decode

INSTALL = "pip install 'roommood[calendar]'"

FOLD = r"[\r\n]+[ \t]"
"""A line goes on after a break and a blank."""

OF_THE_FILE = ("X-WR-TIMEZONE",)
"""A calendar's own properties that say how its events are to be read."""

EXACT = {"DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
DATES = EXACT & {"RDATE", "EXDATE"}
EXACT |= {"STATUS", "TRANSP", "UID", "SEQUENCE"}
EXACT |= {"X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-CDO-BUSYSTATUS"}
"""What says whether and when an event takes place: one that cannot be read is a fault."""

ZONE_AND_UTC = re.compile(r"(?i)(DT|RECUR|EXD|RD)[^:]*;TZID=[^:]*:.*\d{8}T\d{6}Z")
"""Which of the two is meant nobody knows."""

RELEVANT = EXACT | {"SUMMARY", "LOCATION", "CATEGORIES", "DESCRIPTION", "COMMENT", "ATTENDEE"}
"""All that says anything here; a GEO that cannot be read closes no lesson."""

TAKES_PLACE = {"", "PUBLISH", "REQUEST", "ADD"}
"""Of METHOD, RFC 5546; the others answer, propose or ask."""


MOST, MOST_NEAR = 30_000, 12_000
"""Events that are read of a file, and of the weeks around a day: each takes some 30 kB, and there
is a bound to what the services may have. A school of a hundred rooms has 4,000 in three weeks."""

_ONE_AT_A_TIME = threading.Lock()
"""icalendar knows zones by their names alone, in all threads."""


class EventText(NamedTuple):
    """The lines of an event, unfolded, without alarms; or why they are none."""

    lines: list[str]
    fault: str | None = None


class FileContent(NamedTuple):
    """What a file holds."""

    frame: Any
    """icalendar's component with time zones and the file's own properties, without events."""
    events: list[Any]
    faults: list[IgnoredEvent]
    unread: list[Any]
    """Of the events with faults those that icalendar bore."""
    places_left_out: list[str]
    """Of timed events that lie outside of the days that were asked for."""


def read_file(content: bytes, where: str, days: DayRange | None = None) -> FileContent:
    """The events of a file; of one that holds several calendars, of all; with `days`, without those
    that certainly lie elsewhere.

    Raises UserError (naming `where`) for what is no calendar at all, or ends in the middle.
    """
    _needs_packages(where)
    with _ONE_AT_A_TIME:
        return _read_file(content, where, days)


def _read_file(content: bytes, where: str, days: DayRange | None) -> FileContent:
    import icalendar

    icalendar.use_zoneinfo()  # type: ignore[no-untyped-call]  # forgets the zones of other files: programs give theirs one name
    try:
        own, zones, texts = _take_apart(_unfold(content))
    except ValueError as error:
        raise UserError(f"not an iCalendar file ({error})", where, "export it again") from None
    faults = [IgnoredEvent(_title(one.lines), one.fault) for one in texts if one.fault]
    good_zones = [zone for zone in zones if _is_only(zone, zones) and _reads(zone, [])]
    faults += [
        IgnoredEvent(_zone_name(zone), "a time zone that cannot be read")
        for zone in zones
        if zone not in good_zones
    ]
    lines = [*filter(_is_zone_known, own), *(line for zone in good_zones for line in zone)]
    own_zones = frozenset(map(_zone_name, zones))
    good = [with_standard_names(one.lines, own_zones) for one in texts if not one.fault]
    places: list[str] = []
    if days is not None:
        is_near, places = divide(good, days)
        good = [event for event, near in zip(good, is_near, strict=True) if near]
    most = MOST if days is None else MOST_NEAR
    if len(good) > most:
        raise UserError(
            f"has {len(good)} events, more than the {most} that are read",
            where,
            "export less of it",
        )
    try:
        frame, events = _parse(lines, good)
    except Exception:  # somebody's text: find out which event it is
        readable = [event for event in good if _reads(lines, [event])]
        faults += [IgnoredEvent(_title(e), "cannot be read") for e in good if e not in readable]
        good = readable
        frame, events = _parse(lines, good)
    whole, unread = [], []
    for event, text in zip(events, good, strict=True):
        try:
            _compare(event, text)
        except EventFault as fault:
            faults.append(IgnoredEvent(describe(event), str(fault)))
            unread.append(event)
        else:
            whole.append(event)
    return FileContent(frame, whole, faults, unread, places)


def _needs_packages(where: str) -> None:
    try:
        import icalendar  # noqa: F401  # missing is said here, before it is needed
        import recurring_ical_events  # noqa: F401
    except ModuleNotFoundError as missing:
        raise UserError(f"{missing.name} is missing, which reads it", where, f"{INSTALL}") from None
    # Evolution's and Thunderbird's names of zones, which are read rightly.
    warnings.filterwarnings("ignore", message="Timezone .* is a globally unique TZID")


def _unfold(content: bytes) -> list[str]:
    """A file's lines; str.splitlines would cut at signs that titles may hold."""
    if b"\0" not in content:  # a break may lie within a letter of UTF-8
        content = re.sub(FOLD.encode(), b"", content)
    text = re.sub(FOLD, "", decode(content))
    return [line for line in re.split(r"[\r\n]+", text) if line.strip()]


def _take_apart(lines: list[str]) -> tuple[list[str], list[list[str]], list[EventText]]:
    """The file's own properties, its time zones, its events; raises ValueError for no file."""
    scan = _Scan()
    for line in lines:
        scan.take(line)
    scan.close_event("does not end")
    if scan.calendars == 0:
        raise ValueError("no BEGIN:VCALENDAR")
    if scan.is_open:
        raise ValueError("it ends in the middle")
    return scan.own, scan.zones, scan.texts


class _Scan:
    """Walks through lines and keeps what is wanted."""

    def __init__(self) -> None:
        self.own: list[str] = []
        self.zones: list[list[str]] = []
        self.texts: list[EventText] = []
        self.calendars = 0
        self.is_open = False
        self._method: list[str] = []
        self._first = 0
        """The first event of the calendar that is being read."""
        self._event: list[str] | None = None
        self._zone: list[str] | None = None
        self._within: list[str] = []
        """Names of other components that have begun, within an event or beside it."""

    def take(self, line: str) -> None:
        word, _, name = (part.strip().upper() for part in line.partition(":"))
        if word == "BEGIN":
            self._begin(name, line)
        elif word == "END":
            self._end(name, line)
        elif self._zone is not None:
            self._zone.append(line)
        elif self._within:
            pass
        elif self._event is not None:
            name_of_it = property_name(line)
            if name_of_it in DATES and line.rstrip().endswith(":"):
                return  # no date, as some programs write it
            # A blank at the end of a UID makes no other of it, nor one after a time.
            self._event.append(line.rstrip() if name_of_it in EXACT else line)
        elif word == "METHOD" or word.startswith("METHOD;"):
            self._method.append(name)
        elif word.partition(";")[0] in OF_THE_FILE and not self.own:
            self.own.append(line)

    def _begin(self, name: str, line: str) -> None:
        if name in ("VEVENT", "VCALENDAR", "VTIMEZONE"):
            self.close_event("does not end")
            self._within, self._zone = [], None
        if name == "VCALENDAR":
            if self.is_open:
                raise ValueError("it ends in the middle")
            self.calendars, self.is_open = self.calendars + 1, True
            self._method, self._first = [], len(self.texts)
        elif name == "VEVENT":
            self._event = []
        elif name == "VTIMEZONE":
            self._zone = [line]
        elif self._zone is not None:
            self._zone.append(line)
        else:
            self._within.append(name)

    def _end(self, name: str, line: str) -> None:
        if name == "VEVENT":
            self.close_event(None if not self._within else f"its {self._within[-1]} does not end")
            self._within = []
        elif name == "VCALENDAR":
            self.close_event("does not end")
            self._within, self._zone = [], None
            self._obey_method()
            self.is_open = False
        elif self._zone is not None:
            self._zone.append(line)
            if name == "VTIMEZONE":
                self.zones.append(self._zone)
                self._zone = None
        elif name in self._within:
            del self._within[self._within.index(name) :]

    def close_event(self, fault: str | None) -> None:
        if self._event is not None:
            outside = None if self.is_open else "stands outside of a calendar"
            self.texts.append(EventText(self._event, fault or outside))
            self._event = None

    def _obey_method(self) -> None:
        """What a calendar says of all its events, wherever in it that stands."""
        methods = {*self._method} - TAKES_PLACE
        own = self.texts[self._first :]
        if methods == {"CANCEL"}:
            own = [
                one._replace(
                    lines=[
                        *(x for x in one.lines if property_name(x) != "STATUS"),
                        "STATUS:CANCELLED",
                    ]
                )
                for one in own
            ]
        elif methods:
            why = (
                f"is no event but a message about one (METHOD:{short(', '.join(sorted(methods)))})"
            )
            own = [one._replace(fault=why) for one in own]
        self.texts[self._first :] = own


def _title(lines: Iterable[str]) -> str:
    """Of an event that could not be read, from its text."""
    texts = {property_name(line): line.partition(":")[2] for line in lines}
    title = short(texts.get("SUMMARY") or texts.get("UID") or "event")
    start = re.match(r"(\d{4})(\d\d)(\d\d)", texts.get("DTSTART", ""))
    return f"{title} ({'-'.join(start.groups())})" if start else title


def _is_only(zone: list[str], zones: list[list[str]]) -> bool:
    """Whether no other of the same name says otherwise: which of them is meant nobody knows."""
    name = _zone_name(zone)
    return all(other == zone for other in zones if _zone_name(other) == name)


def _zone_name(lines: Iterable[str]) -> str:
    return short(
        next((x.partition(":")[2] for x in lines if property_name(x) == "TZID"), "without name")
    )


def _parse(own: list[str], events: list[list[str]]) -> tuple[Any, list[Any]]:
    """icalendar's component for a file with these lines and events, and for each event."""
    import icalendar

    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:roommood", *own]
    for event in events:
        lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
    calendar = icalendar.Calendar.from_ical("\r\n".join([*lines, "END:VCALENDAR", ""]))
    return calendar, calendar.walk("VEVENT")


def _reads(own: list[str], events: list[list[str]]) -> bool:
    """Whether icalendar bears it."""
    try:
        frame, _ = _parse(own, events)
        for zone in frame.walk("VTIMEZONE"):
            zone.to_tz()
    except Exception:
        return False
    return True


def _is_zone_known(line: str) -> bool:
    """Of X-WR-TIMEZONE; one that is unknown says nothing."""
    try:
        ZoneInfo(line.partition(":")[2].strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _compare(event: Any, lines: list[str]) -> None:
    """Raises EventFault where icalendar has fewer properties than the text has lines for them."""
    counts: dict[str, int] = {}
    for line in lines:
        if (name := property_name(line)) in EXACT:
            counts[name] = counts.get(name, 0) + 1
    for line in lines:
        if ZONE_AND_UTC.match(line):
            raise EventFault(f"{property_name(line)} names a time zone and ends with Z, for UTC")
    for name, count in counts.items():
        value = event.get(name)
        if count != (len(value) if isinstance(value, list) else int(value is not None)):
            raise EventFault(f"{name} cannot be read")
        if count > 1 and name in ("STATUS", "TRANSP", "UID", "SEQUENCE"):
            raise EventFault(f"{name} is there twice")
