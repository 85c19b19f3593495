"""Windows that are lost since their device's clock is behind: they say that they are from before an
erasure, though they were counted after it. What was erased stays erased, so they are not stored;
but whoever looks after the device is told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from collector.live.rooms import RIGHT_S, Rooms
from edge.protocol.messages import Mood

log = logging.getLogger(__name__)

SAYS = (
    "%s/%s: its device's clock is %.0f min behind, so what it counts now is taken for what was "
    "erased before, and lost: let it reach a time server"
)


class LateClocks:
    """`covers` says whether a window was erased; belongs to the network's thread."""

    def __init__(self, rooms: Rooms, covers: Callable[[Mood], bool]) -> None:
        self._rooms, self._covers = rooms, covers
        self._known_rooms: set[tuple[str, str]] = set()

    def look(self, erased_mood: Mood) -> None:
        """At a window that came just now and was taken for erased."""
        room = (erased_mood.site, erased_mood.room)
        lead_s = self._rooms.view(*room).clock_lead_s
        if lead_s is None or lead_s > -RIGHT_S:
            self._known_rooms.discard(room)
            return
        start = erased_mood.start - timedelta(seconds=lead_s)
        if self._covers(erased_mood.model_copy(update={"start": start})):
            return  # from before the erasure indeed
        self._rooms.note_loss(*room)
        if room not in self._known_rooms:
            self._known_rooms.add(room)
            log.error(SAYS, *room, -lead_s / 60)
