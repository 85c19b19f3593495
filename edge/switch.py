"""Whether the agent may look: paused by command until resumed, or until the day is over.

A pause survives a restart, in a file beside the outbox. It fails closed: where the file cannot be
understood the agent is paused, and a clock that has lost its day does not end a pause.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

from edge.mood import Command

log = logging.getLogger(__name__)


class Switch:
    """Set from the publisher's thread, read by the agent's loop."""

    def __init__(self, path: Path, today: Callable[[], date] = date.today) -> None:
        self._path = path
        self._today = today
        self._lock = threading.Lock()
        self._paused, self._day = self._remembered()

    def obey(self, command: Command) -> None:
        with self._lock:
            day = self._today() if command.command == "stop_today" else None
            self._set(command.command != "resume", day)

    @property
    def paused(self) -> bool:
        with self._lock:
            # A clock that starts in 1970 is before any day, and so ends nothing.
            if self._day is not None and self._today() > self._day:
                self._set(False, None)
            return self._paused

    def _set(self, paused: bool, day: date | None) -> None:
        self._paused, self._day = paused, day
        content = {"paused": paused, "day": day and day.isoformat()}
        partial = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            log.error("%s: cannot be written (%s): a restart forgets this", self._path, error)

    def _remembered(self) -> tuple[bool, date | None]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            day = content["day"]
            return _truth(content["paused"]), None if day is None else date.fromisoformat(day)
        except FileNotFoundError:
            return False, None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s: not understood (%s): paused until told to resume", self._path, error)
            return True, None


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"'paused' is {value!r}")
    return value
