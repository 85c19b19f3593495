"""Which events of a large file need not be read now: a school's year has tens of thousands.

Each costs eight kilobytes and half a millisecond once icalendar has it, and a device needs those of
these weeks. Left out is only what is certain: an event that takes place once, whose dates can be
read and lie elsewhere, and whose UID no other event has.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from edge.common.cancellation import calls_off

PROPERTY = re.compile(r"\s*([A-Za-z0-9-]+)")
DATE = re.compile(r"[^:]*:\s*(\d{8})(T\d{6}Z?)?\s*")
ESCAPE = re.compile(r"\\([\\;,Nn])")

NEEDS = {"DTSTART", "DTEND", "UID", "LOCATION", "SUMMARY"}
OFTEN = {"RRULE", "EXRULE", "RDATE", "RECURRENCE-ID", "DURATION"}
"""An event with one of these may take place at other times than it says first."""


class DayRange(NamedTuple):
    """From the first day to the last, both included."""

    first: date
    last: date


class Division(NamedTuple):
    """Whether each event may lie in a range of days, and the places of all that do not."""

    is_near: list[bool]
    places: list[str]
    """Of timed events; empty where they do not say."""


def property_name(line: str) -> str:
    """Of an unfolded line, in capitals; nothing for what is no property."""
    match = PROPERTY.match(line)
    return match[1].upper() if match else ""


def divide(events: Sequence[Sequence[str]], days: DayRange) -> Division:
    """Events, each by its unfolded lines."""
    fields = [_fields(lines) for lines in events]
    uids = Counter(uid for one in fields for uid in one.get("UID", ()))
    is_near, places = [], []
    for one in fields:
        start, end = _date(one.get("DTSTART")), _date(one.get("DTEND"))
        is_single = not OFTEN & one.keys() and [uids[uid] for uid in one.get("UID", ())] == [1]
        if not is_single or not start or not end or not start[0] <= end[0]:
            is_near.append(True)
            continue
        elsewhere = end[0] < f"{days.first:%Y%m%d}" or start[0] > f"{days.last:%Y%m%d}"
        is_near.append(not elsewhere)
        if elsewhere and start[1] and not calls_off(_text(one.get("SUMMARY", ()))):
            place = _text(one.get("LOCATION", ()))
            places.append(sys.intern("" if calls_off(place) else place))
    return Division(is_near, places)


def _text(lines: Sequence[str]) -> str:
    """What lines of a property say; of several one text."""
    return ESCAPE.sub(_unescape, ", ".join(line.partition(":")[2] for line in lines))


def _fields(lines: Sequence[str]) -> dict[str, list[str]]:
    """Of the properties that are needed here the lines, of a UID what it says."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        name = property_name(line)
        if name in NEEDS or name in OFTEN:
            fields.setdefault(name, []).append(
                line.partition(":")[2].strip() if name == "UID" else line
            )
    return fields


def _date(lines: Sequence[str] | None) -> tuple[str, bool] | None:
    """Day as digits, and whether there is a time; None where that is not certain."""
    match = DATE.fullmatch(lines[0]) if lines and len(lines) == 1 else None
    return (match[1], bool(match[2])) if match else None


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] in "Nn" else match[1]
