"""Asks devices for windows again that they had acknowledgements for: the database was restored.

A backup knows nothing of what was stored after it, and the devices have forgotten nothing yet. The
mark from which on windows are wanted is kept with the data, with the runs that were asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from collector.storage.tables import moods, settings
from edge.protocol.messages import Command, Status

KEY = "resend"
"""In the table of settings."""

EARLIER_S = 3600.0
"""Before the newest window that a backup has: others may have been on their way."""

FOR_S = 7 * 86_400.0
"""Devices that are off for longer have forgotten what they had."""

FRESH_S = 30.0
"""After which it is looked whether a command beside the collector has set a mark."""


def mark(connection: Connection, since: float | None = None) -> float:
    """Wants windows again from then on (seconds since 1970), or from the newest there is."""
    if since is None:
        newest = connection.execute(select(func.max(moods.c.received))).scalar()
        since = max(0.0, (newest or 0.0) - EARLIER_S)
    _write(connection, {"since": since, "at": time.time(), "asked": []})
    return since


def _write(connection: Connection, value: dict[str, Any]) -> None:
    connection.execute(delete(settings).where(settings.c.key == KEY))
    connection.execute(insert(settings).values(key=KEY, value=value))


class ResendRequests:
    """Asks each run of each room's agent once, when its status is heard."""

    def __init__(self, engine: Engine, send: Callable[[str, str, Command], None]) -> None:
        self._engine, self._send = engine, send
        self._wanted: dict[str, Any] | None = None
        self._read = float("-inf")

    def update(self, status: Status) -> None:
        if status.state == "offline":
            return
        if time.monotonic() - self._read > FRESH_S:
            self._wanted, self._read = self._load(), time.monotonic()
        wanted, run = self._wanted, f"{status.site}/{status.room} {status.boot}"
        if wanted is None or run in wanted["asked"]:
            return
        since = datetime.fromtimestamp(wanted["since"], timezone.utc)
        self._send(status.site, status.room, Command(command="resend", since=since))
        wanted["asked"].append(run)
        with self._engine.begin() as connection:
            _write(connection, wanted)

    def _load(self) -> dict[str, Any] | None:
        with self._engine.connect() as connection:
            value = connection.execute(select(settings.c.value).where(settings.c.key == KEY))
            wanted: dict[str, Any] | None = value.scalar()
        return wanted if wanted is not None and time.time() - wanted["at"] < FOR_S else None
