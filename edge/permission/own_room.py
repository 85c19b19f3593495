"""Which events of a calendar are in the device's room.

A room's own calendar needs no places, and often has odd ones. A whole school's has many, and
a device that took no notice would open its camera during lessons elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from edge.common.calendar_event import short
from edge.common.places import (
    SEPARATORS,
    RoomPlace,
    as_now,
    building,
    is_same,
    key,
    number,
    parts,
    split_site,
)

MANY = 2
"""A calendar says where its events are if at most one in as many does not."""


class OwnRoom:
    """Tells the events in a room from those elsewhere.

    `spellings` are how the calendar writes the room; without any it is its name. `places` are those
    of all its events, an empty one where an event has none. A calendar that knows one place only is
    that room's, however it writes it, unless that is another number or `spellings` are there.
    Rooms of one number in several buildings are told apart by `spellings` alone.
    """

    def __init__(self, own: RoomPlace, spellings: Iterable[str], places: Sequence[str]) -> None:
        self._own = own
        self._spellings = {key(one) for one in spellings}
        self.only_place = ""
        """How the calendar writes the room, where that is not the room's name but all it has."""
        self._only_key = ""
        others = [
            place for place in dict.fromkeys(places) if parts(place) and not self._is_here(place)
        ]
        rooms = {key(part) for place in dict.fromkeys(places) for part in parts(place)}
        has_other_number = any(self._differs(one) for place in others[:1] for one in parts(place))
        if len(rooms) == 1 and others and not self._spellings and not has_other_number:
            self.only_place, self._only_key = short(others[0]), rooms.pop()
            others = []
        self._has_others = bool(others)
        here = {place for place in places if self._is_here(place)}
        self._buildings = {self._building(place) for place in here}
        without = sum(not place.strip() for place in places)
        self._says_where = MANY * without <= len(places)

    def why_not(self, place: str) -> str | None:
        """Why an event at a place, which may be empty, is none of the room's; None where it is."""
        where = short(place)
        if self._is_here(place):
            if len(self._buildings) < 2 or not self._building(place):
                return None
            return (
                f"may take place in another building, {where}, in a calendar that has the room in "
                f"several: if that is {self._own.room}, add it to schedule.calendar_rooms as it "
                "stands there"
            )
        if parts(place):
            return (
                f"takes place elsewhere, {where}: if that is {self._own.room}, add it to "
                "schedule.calendar_rooms as it stands there"
            )
        if not self._has_others or not (where or self._says_where):
            return None
        if where:
            return f"takes place online or nowhere, {where}, in a calendar of several rooms"
        return "does not say where, in a calendar of several rooms"

    def _is_here(self, place: str) -> bool:
        """As a whole, or by one of the places that it names."""
        if self._spellings:
            now = as_now(place)
            pieces = [place, *re.split(r"[;\n]", now), *SEPARATORS.split(now), *parts(place)]
            return any(key(one) in self._spellings for one in pieces if one.strip())
        return any(self._is_own(one) or key(one) == self._only_key for one in parts(place))

    def _building(self, place: str) -> str:
        """Which one a place says, where the settings do not say which is meant."""
        return "" if self._spellings else building(place, self._own.room)

    def _is_own(self, place: str) -> bool:
        if is_same(place, self._own.room):
            return True
        site, room = split_site(place)
        is_own_site = site is not None and key(site) == key(self._own.site or "")
        return is_own_site and is_same(room, self._own.room)

    def _differs(self, place: str) -> bool:
        """Whether it is called as the room is, by another number."""
        theirs, ours = number(place), number(self._own.room)
        return theirs is not None and ours is not None and theirs[0] == ours[0]
