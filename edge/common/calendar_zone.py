"""Names of time zones as programs write them, where a file does not describe them itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import available_timezones

OFFSET = re.compile(r"\(?(?:utc|gmt|z)? ?([+-])(\d{1,2})(?::?(\d\d))?\)?", re.IGNORECASE)
"""`UTC+01:00`, `+0100`; not `(UTC+01:00) Berlin`, which has a summer time."""

PARAMETER = re.compile(r'(?i)(;TZID=)("[^"]*"|[^;:",]*)')

FARTHEST_H = 14
"""Hours that a zone is away from UTC, at most."""


@lru_cache(maxsize=1)
def _by_small_letters() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


@lru_cache(maxsize=256)
def standard_name(name: str) -> str:
    """The name in the time zone database that a name means; itself where none is known for it.

    A fixed offset of whole hours is one of `Etc/GMT…`, whose sign is the other way round.
    """
    text = name.strip()
    if text.casefold() in _by_small_letters():
        return _by_small_letters()[text.casefold()]
    if match := OFFSET.fullmatch(text):
        hours = int(match[2])
        if int(match[3] or 0) or hours > FARTHEST_H:
            return name
        return f"Etc/GMT{'-' if match[1] == '+' else '+'}{hours}" if hours else "Etc/UTC"
    return name


def with_standard_names(lines: Iterable[str], own_zones: frozenset[str]) -> list[str]:
    """An event's lines with names that can be looked up; `own_zones` are those of its file."""

    def name(match: re.Match[str]) -> str:
        own_name = match[2].strip('"')
        standard = own_name if own_name in own_zones else standard_name(own_name)
        return match[0] if standard == own_name else f"{match[1]}{standard}"

    return [PARAMETER.sub(name, line, count=1) if ";" in line else line for line in lines]
