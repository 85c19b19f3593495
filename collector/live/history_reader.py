"""Reads, after a start, what rooms showed before it, so that no page has to wait for it."""

from __future__ import annotations

from collector.live.rooms import Rooms
from edge.common.worker import Worker

PAUSE_S = 0.02
"""Between two rooms, in which requests and windows have the processor."""


class HistoryReader(Worker):
    """One room after another; a page that asks for one meanwhile reads it itself."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__("history", every_s=60.0)
        self._rooms = rooms

    def run_once(self) -> None:
        for site, room in self._rooms.unread():
            if self._stopping.wait(PAUSE_S):
                return
            with self.attempt(f"{site}/{room}"):
                self._rooms.windows(site, room)
            self.beat()
