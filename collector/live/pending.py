"""What a room's camera was asked to do and has not done yet, for all who look at the room."""

from __future__ import annotations

import threading
import time

from collector.live.rooms import Key, RoomState

PATIENCE_S = 60.0
"""A device that has not answered by then will not: the page stops waiting for it."""


class PendingCommands:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: dict[Key, tuple[str, float]] = {}

    def put(self, key: Key, command: str) -> None:
        with self._lock:
            self._commands[key] = (command, time.monotonic())

    def of(self, key: Key, state: RoomState) -> str | None:
        """The command that `state` does not show yet."""
        with self._lock:
            command, at = self._commands.get(key, ("", 0.0))
            if not command:
                return None
            is_done = (state == "paused") is (command != "resume")
            if is_done or time.monotonic() - at > PATIENCE_S:
                del self._commands[key]
                return None
            return command
