"""Whether the agent may look: paused by command until resumed, or until the day is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

from edge.mood import Command


class Switch:
    """Set from the publisher's thread, read by the agent's loop."""

    def __init__(self, today: Callable[[], date] = date.today) -> None:
        self._today = today
        self._lock = threading.Lock()
        self._paused = False
        self._day: date | None = None

    def obey(self, command: Command) -> None:
        with self._lock:
            self._paused = command.command != "resume"
            self._day = self._today() if command.command == "stop_today" else None

    @property
    def paused(self) -> bool:
        with self._lock:
            if self._day is not None and self._today() != self._day:
                self._paused, self._day = False, None
            return self._paused
