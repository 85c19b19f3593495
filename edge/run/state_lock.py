"""One process at a time has a device's camera and state: `agent run` or `agent aim`, not both."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from edge.common.errors import UserError


class StateFolderBusy(UserError):
    """Another process holds the state folder."""


@contextlib.contextmanager
def hold_state(state: Path) -> Iterator[None]:
    """Holds the state folder; raises StateFolderBusy where another process does, or UserError."""
    path = state / "agent.lock"
    try:
        state.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(str(error.strerror), path, "check 'state' and its permissions") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StateFolderBusy(
                "an agent is running with it",
                state,
                "stop that first (systemctl stop roommood-agent)",
            ) from None
        yield
