"""Which events of a calendar are in the device's room.

A room's own calendar needs no places, and often has odd ones. A whole school's has many, and
a device that took no notice would open its camera during lessons elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge.common.places import RoomPlace, is_same, key, number, parts, split_site

MANY = 2
"""A calendar says where its events are if at most one in as many does not."""


class OwnRoom:
    """Tells the events in a room from those elsewhere.

    `spellings` are how the calendar writes the room where its name does not show it; `places`
    those of all its events, an empty one where an event has none. A calendar that knows one place
    only is that room's, however it writes it, unless that is another number or `spellings` are
    there.
    """

    def __init__(self, own: RoomPlace, spellings: Iterable[str], places: Sequence[str]) -> None:
        self._own = own
        self._spellings = {key(one) for one in spellings}
        rooms = [part for place in places for part in parts(place)]
        elsewhere = {key(part): part for part in rooms if not self._is_own(part)}
        adopts = len(elsewhere) == 1 == len({key(part) for part in rooms}) and not self._spellings
        self._namesakes = (
            set(elsewhere) if adopts and not self._differs(*elsewhere.values()) else set()
        )
        self._has_others = len(elsewhere) > len(self._namesakes)
        without = sum(not parts(place) for place in places)
        self._says_where = MANY * without <= len(places)

    def why_not(self, place: str) -> str | None:
        """Why an event at a place, which may be empty, is none of the room's; None where it is."""
        rooms = parts(place)
        if any(self._is_own(one) or key(one) in self._namesakes for one in rooms):
            return None
        if rooms:
            where = " ".join(place.split())[:80]
            return (
                f"takes place elsewhere, {where}: if that is {self._own.room}, add it to "
                "schedule.calendar_rooms"
            )
        if self._has_others and self._says_where:
            return "does not say where, in a calendar of several rooms"
        return None

    def _is_own(self, place: str) -> bool:
        if key(place) in self._spellings or is_same(place, self._own.room):
            return True
        site, room = split_site(place)
        return (
            site is not None
            and key(site) == key(self._own.site or "")
            and is_same(room, self._own.room)
        )

    def _differs(self, place: str) -> bool:
        """Whether it is called as the room is, by another number."""
        theirs, ours = number(place), number(self._own.room)
        return theirs is not None and ours is not None and theirs[0] == ours[0]
