"""Erasures where a device's clock is wrong: what its windows say is not when they were counted.

One that is behind dates before an erasure what it counts after it. What was erased stays erased, so
that is not stored; but whoever looks after the device is told. One that is ahead dates after the
erasure what it counted before: while that lies in the future, it goes by the device's own time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from collector.live.rooms import RIGHT_S, Rooms
from edge.protocol.messages import Mood

log = logging.getLogger(__name__)

SAYS = (
    "%s/%s: its device's clock is %.0f min behind, so what it counts now is taken for what was "
    "erased before, and lost: let it reach a time server"
)


class WrongClocks:
    """`covers` says whether a window was erased; belongs to the network's thread."""

    def __init__(self, rooms: Rooms, covers: Callable[[Mood], bool]) -> None:
        self._rooms, self._covers = rooms, covers
        self._known_rooms: set[tuple[str, str]] = set()

    def covers(self, mood: Mood) -> bool:
        """Whether a window that is dated ahead was counted before an erasure of that time, by what
        its device last said of its clock."""
        start, now = mood.start.timestamp(), time.time()
        if start <= now + RIGHT_S:
            return False
        lead_s = self._rooms.view(mood.site, mood.room).clock_lead_s
        if lead_s is None or lead_s < RIGHT_S:
            return False
        return self._covers(_shift(mood, -lead_s))

    def look(self, erased_mood: Mood) -> None:
        """At a window that came just now and was taken for erased."""
        room = (erased_mood.site, erased_mood.room)
        lead_s = self._rooms.view(*room).clock_lead_s
        if lead_s is None or lead_s > -RIGHT_S:
            self._known_rooms.discard(room)
            return
        if self._covers(_shift(erased_mood, -lead_s)):
            return  # from before the erasure indeed
        self._rooms.note_loss(*room)
        if room not in self._known_rooms:
            self._known_rooms.add(room)
            log.error(SAYS, *room, -lead_s / 60)


def _shift(mood: Mood, seconds: float) -> Mood:
    return mood.model_copy(update={"start": mood.start + timedelta(seconds=seconds)})
