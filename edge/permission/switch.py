"""Whether people let the agent look: paused until resumed, or until the day is over.

A pause made in the room and one from afar stand side by side: from afar nobody ends, shortens or
renames what was done in the room, while the room ends both. It fails closed: a file that cannot be
understood is a pause of the room, a clock that has lost its day ends none, and the camera opens
only once the disk has taken that it may.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from edge.common import atomic_file
from edge.common.errors import in_words
from edge.protocol.messages import Command, Pause

log = logging.getLogger(__name__)


By = Literal["command", "button", "kiosk"]

SWITCH = "switch.json"
"""In the state folder, and in the service's folder in memory."""

AGAIN_S = 5.0
"""How long after a disk took nothing it is tried again."""

SIZE = 256
"""Of the file, bytes, whatever is in it: what is as long as before fits on a full disk too."""


RUNTIME = Path("/run/roommood-agent")
"""The service's folder in memory, for who runs beside it."""


def note() -> Path | None:
    """A file in the service's folder in memory (`RuntimeDirectory=`), where there is one."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(folder) / SWITCH if folder else None


class SwitchState(NamedTuple):
    """One pause: who made it, and for which day alone."""

    by: Pause
    day: date | None = None


class Switch:
    """Set from several threads, read by the agent's loop.

    `note`: a file in memory that outlasts the process, for a pause that the disk does not take.
    """

    def __init__(
        self,
        path: Path,
        today: Callable[[], date] = date.today,
        note: Path | None = None,
    ) -> None:
        self._path, self._note = path, note
        self._today = today
        self._lock = threading.Lock()
        self._room, self._remote = self._restore()
        self._unwritten = ""
        self._last_try = 0.0
        self._is_confirmed = False
        self._store()

    def obey(self, command: Command, by: By = "command") -> None:
        resume = command.command == "resume"
        day = self._today() if command.command == "stop_today" else None
        with self._lock:
            if by != "command":
                self._decide(None if resume else SwitchState(by, day))
                return
            if resume and self._room:
                log.warning("switched on from afar, but paused in the room: it stays paused")
            self._remote = None if resume else SwitchState(by, day)
            self._store()

    def toggle(self, by: By) -> None:
        """A press of a button in the room: whoever paused, it resumes."""
        with self._lock:
            is_closed = self._room or self._remote or not self._is_confirmed
            self._decide(None if is_closed else SwitchState(by))

    @property
    def pause(self) -> Pause | None:
        """Who paused, or None; the room before those afar."""
        with self._lock:
            room, remote = self._unless_over(self._room), self._unless_over(self._remote)
            if (room, remote) != (self._room, self._remote):
                self._room, self._remote = room, remote
                self._store()
            elif self._unwritten and time.monotonic() - self._last_try > AGAIN_S:
                self._store()
            first = self._room or self._remote
            if first is None and not self._is_confirmed:
                return "unreadable"
            return first.by if first else None

    @property
    def unwritten(self) -> str:
        """Why what is in force is not on the disk; empty where it is."""
        return self._unwritten

    def _decide(self, room: SwitchState | None) -> None:
        """What the room says goes for everybody: its resume ends a pause from afar too."""
        self._room = room
        self._remote = self._remote if room else None
        self._is_confirmed = True
        self._store()

    def _unless_over(self, state: SwitchState | None) -> SwitchState | None:
        # A clock that starts in 1970 is before any day, and so ends nothing.
        over = state is not None and state.day is not None and self._today() > state.day
        return None if over else state

    def _store(self) -> None:
        content = json.dumps({"room": _plain(self._room), "remote": _plain(self._remote)})
        self._last_try = time.monotonic()
        before, self._unwritten = self._unwritten, _write(self._path, content.ljust(SIZE))
        self._is_confirmed = self._is_confirmed or not self._unwritten
        if self._unwritten and not before:
            log.error(
                "%s: cannot be written (%s): tried again until it is; check the disk",
                self._path,
                self._unwritten,
            )
        if self._note is None:
            return
        with contextlib.suppress(OSError):  # of memory, the last resort
            if self._unwritten and (self._room or self._remote):
                self._note.write_text(content, encoding="utf-8")
            else:
                self._note.unlink(missing_ok=True)

    def _restore(self) -> tuple[SwitchState | None, SwitchState | None]:
        """What memory notes, since it is there only where it is newer than the disk."""
        note = _read(self._note) if self._note else None
        return note or _read(self._path) or (None, None)


def _plain(state: SwitchState | None) -> dict[str, str | None] | None:
    if state is None:
        return None
    return {"by": state.by, "day": state.day.isoformat() if state.day else None}


def _write(path: Path, content: str) -> str:
    """Why the disk does not take it; empty where it does."""
    try:
        atomic_file.write(path, content)
    except OSError as error:
        try:
            atomic_file.overwrite(path, content)
        except OSError:
            return in_words(error)
    return ""


def _read(path: Path) -> tuple[SwitchState | None, SwitchState | None] | None:
    """The room's pause and that from afar; None where there is no file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "paused_by" in content:  # as it was written when there was one pause for all
            only = _state({"by": content["paused_by"], "day": content["day"]})
            return (None, only) if only and only.by == "command" else (only, None)
        return _state(content["room"]), _state(content["remote"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("%s: cannot be read (%s); paused until somebody there resumes", path, error)
        return SwitchState("unreadable"), None


def _state(content: Any) -> SwitchState | None:
    if content is None or content["by"] is None:
        return None
    by, day = content["by"], content["day"]
    if by not in get_args(Pause):
        raise ValueError(f"paused by {by!r}")
    return SwitchState(by, None if day is None else date.fromisoformat(day))
