"""Two machines that speak for one room: a card that was copied, key and all.

A device tells with every status which run of the agent it is. A run that speaks again after a later
one has begun is a second machine; once may be chance, twice is not.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from uuid import UUID

from collector.access.accounts import Room
from edge.protocol.messages import Status

TIMES = 2


class CloneDetector:
    """Hears every status."""

    def __init__(self) -> None:
        self._runs: dict[Room, list[UUID]] = defaultdict(list)
        self._return_counts: dict[Room, int] = defaultdict(int)
        self._lock = threading.Lock()  # statuses come in one thread, revocations in any

    def update_status(self, status: Status) -> bool:
        """Whether this shows that there are two."""
        if status.state == "offline":  # the broker may say that of a run long after it ended
            return False
        room = (status.site, status.room)
        with self._lock:
            runs = self._runs[room]
            if runs and runs[-1] == status.boot:
                return False
            is_back = status.boot in runs
            self._runs[room] = [*(run for run in runs if run != status.boot), status.boot][-8:]
            if not is_back:
                return False
            self._return_counts[room] += 1
            return self._return_counts[room] >= TIMES

    def forget(self, room: Room) -> None:
        """A new device has the room."""
        with self._lock:
            self._runs.pop(room, None)
            self._return_counts.pop(room, None)
