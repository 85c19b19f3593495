"""Whether people let the agent look: paused until resumed, or until the day is over.

A pause survives a restart, in a file beside the outbox. It fails closed: where the file cannot be
understood the agent is paused, and a clock that has lost its day does not end a pause.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from edge.common import atomic_file
from edge.protocol.messages import Command, Pause

log = logging.getLogger(__name__)


By = Literal["command", "button", "kiosk"]


class SwitchState(NamedTuple):
    """What the file says: who paused, if anyone, and for which day alone."""

    by: Pause | None
    day: date | None = None


class Switch:
    """Set from several threads, read by the agent's loop."""

    def __init__(self, path: Path, today: Callable[[], date] = date.today) -> None:
        self._path = path
        self._today = today
        self._lock = threading.Lock()
        self._kept = self._remembered()

    def obey(self, command: Command, by: By = "command") -> None:
        with self._lock:
            day = self._today() if command.command == "stop_today" else None
            self._keep(SwitchState(None if command.command == "resume" else by, day))

    def toggle(self, by: By) -> None:
        """A press of a button: whoever paused, it resumes."""
        with self._lock:
            self._keep(SwitchState(None if self._kept.by else by))

    @property
    def pause(self) -> Pause | None:
        """Who paused, or None."""
        with self._lock:
            # A clock that starts in 1970 is before any day, and so ends nothing.
            if self._kept.day is not None and self._today() > self._kept.day:
                self._keep(SwitchState(None))
            return self._kept.by

    def _keep(self, kept: SwitchState) -> None:
        self._kept = kept
        content = {"paused_by": kept.by, "day": kept.day and kept.day.isoformat()}
        try:
            atomic_file.write(self._path, json.dumps(content))
        except OSError as error:
            log.error(
                "%s: cannot be written (%s); a restart forgets this: check the disk",
                self._path,
                error,
            )

    def _remembered(self) -> SwitchState:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            by, day = content["paused_by"], content["day"]
            if by is not None and by not in get_args(Pause):
                raise ValueError(f"'paused_by' is {by!r}")
            return SwitchState(by, None if day is None else date.fromisoformat(day))
        except FileNotFoundError:
            return SwitchState(None)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s: cannot be read (%s); paused until somebody resumes", self._path, error)
            return SwitchState("unreadable")
