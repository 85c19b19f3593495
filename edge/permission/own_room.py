"""Which events of a calendar are in the device's room.

A room's own calendar needs no places, and often has wrong ones. A whole school's has many, and
a device that took no notice would open its camera during lessons elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge.common.places import ROOM_WORDS, key, parts, slug

ABBREVIATIONS = {"r", "rm", *ROOM_WORDS}


class OwnRoom:
    """Tells the events in a room from those elsewhere.

    `room` is its name, `spellings` how its calendar writes it where the name does not show it,
    `places` all that the calendar has. A calendar that knows one place only is that room's, however
    it writes it, unless `spellings` are there.
    """

    def __init__(self, room: str, spellings: Iterable[str], places: Iterable[str]) -> None:
        self._room = room
        self._spellings = {key(one) for one in spellings}
        others = {key(part) for place in places for part in parts(place) if not self._is_own(part)}
        own = any(self._is_own(part) for place in places for part in parts(place))
        alone = len(others) == 1 and not own and not self._spellings
        self._others = set() if alone else others

    def why_not(self, place: str) -> str | None:
        """Why an event at a place, which may be empty, is none of the room's; None where it is."""
        rooms = parts(place)
        if not self._others or any(self._is_own(one) for one in rooms):
            return None
        if not rooms:
            return "does not say where, in a calendar of several rooms"
        where = " ".join(place.split())[:80]
        return (
            f"takes place elsewhere, {where}: if that is {self._room}, add it to "
            "schedule.calendar_rooms"
        )

    def _is_own(self, place: str) -> bool:
        """`R101`, `Raum 101` and `R 101 (Physics)` are r101."""
        if key(place) in self._spellings:
            return True
        name = slug(place)
        return _number(name) == _number(self._room) or f"-{self._room}-" in f"-{name}-"


def _number(name: str) -> str:
    """A room's name without an abbreviation for room."""
    letters, rest = re.fullmatch(r"([a-z]*)(.*)", name, re.DOTALL).groups()  # type: ignore[union-attr]  # matches all
    return rest if rest[:1].isdigit() and letters in ABBREVIATIONS else name
