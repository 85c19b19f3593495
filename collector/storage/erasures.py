"""What was erased stays erased: windows of a time that come again are acknowledged and not stored.

The broker keeps a room's newest window, and a device those that were never acknowledged; both send
them after the erasure.
"""

from __future__ import annotations

import threading
import time

from sqlalchemy import Engine, insert, select

from collector.storage.tables import erasures
from edge.protocol.messages import Mood

FRESH_S = 30.0
"""After which it is looked whether a command beside the collector has erased something."""


class Erasures:
    """Of one database."""

    _made = 0
    """How many this process has made, whoever asked for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self._read, self._seen = float("-inf"), -1

    def add(self, site: str, room: str, begin: float, end: float) -> None:
        row = {"site": site, "room": room, "begin": begin, "end": end, "at": time.time()}
        with self._engine.begin() as connection:
            connection.execute(insert(erasures).values(row))
        Erasures._made += 1

    def covers(self, mood: Mood) -> bool:
        """Whether a window begins in a time of its room that was erased."""
        with self._lock:
            if self._seen != Erasures._made or time.monotonic() - self._read > FRESH_S:
                self._load()
            spans = self._known.get((mood.site, mood.room), ())
        start = mood.start.timestamp()
        return any(begin <= start < end for begin, end in spans)

    def _load(self) -> None:
        known: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self._seen = Erasures._made
        with self._engine.connect() as connection:
            for row in connection.execute(select(erasures)):
                known.setdefault((row.site, row.room), []).append((row.begin, row.end))
        self._known, self._read = known, time.monotonic()
