"""Asks devices for windows again that they had acknowledgements for: the database was restored.

A backup knows nothing of what was stored after it, and the devices have forgotten nothing yet. The
mark from which on windows are wanted is kept with the data, with the runs that were asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Engine

from collector.storage import resend_mark
from collector.storage.database import begin
from edge.protocol.messages import Command, Status

FRESH_S = 30.0
"""After which it is looked whether a command beside the collector has set a mark."""


class ResendRequests:
    """Asks each run of each room's agent once, when its status is heard."""

    def __init__(self, engine: Engine, send: Callable[[str, str, Command], None]) -> None:
        self._engine, self._send = engine, send
        self._request: dict[str, Any] | None = None
        """As it was read last: most statuses need no look at the database."""
        self._read = float("-inf")

    def update(self, status: Status) -> None:
        if status.state == "offline":
            return
        if time.monotonic() - self._read > FRESH_S:
            with self._engine.connect() as connection:
                self._request = resend_mark.read(connection)
            self._read = time.monotonic()
        run = f"{status.site}/{status.room} {status.boot}"
        if self._request is None or run in self._request["asked"]:
            return
        # A command beside the collector may have set another meanwhile, which is not to be lost.
        with begin(self._engine) as connection:
            self._request = resend_mark.read(connection)
            if self._request is None or run in self._request["asked"]:
                return
            since = datetime.fromtimestamp(self._request["since"], timezone.utc)
            self._send(status.site, status.room, Command(command="resend", since=since))
            self._request["asked"].append(run)
            resend_mark.write(connection, self._request)
