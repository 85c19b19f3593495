"""Tells other systems what happened, by POST, at least once, signed as Standard Webhooks has it.

What is to be told is in the database until its receiver took it, or a day has passed; until it
could be written there it waits in memory, so that a full disk holds up nobody who has something to
tell. Each receiver has a worker of its own, see webhook_receiver.py.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Engine, delete, insert

from collector.integrations.webhook_post import DEADLINE_S
from collector.integrations.webhook_receiver import Target, WebhookReceiver
from collector.storage.erasures import Erasures
from collector.storage.tables import deliveries
from edge.common.worker import Worker
from edge.protocol.messages import rfc3339

log = logging.getLogger(__name__)

LOOK_S = 1.0
MOST_UNWRITTEN = 10_000
"""Events in memory while the database takes none; past that the oldest go."""


class Webhooks(Worker):
    """`notify` may be called from any thread; it asks neither the disk nor the network.

    `receivers` are the workers that send what this one has written down.
    """

    def __init__(
        self,
        engine: Engine,
        targets: Iterable[Target],
        erasures: Erasures | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        super().__init__("webhooks", LOOK_S)
        self._engine = engine
        self._targets = {target.url: target for target in targets}
        self.receivers = [
            WebhookReceiver(engine, to, erasures, deadline_s) for to in self._targets.values()
        ]
        self._unwritten: deque[dict[str, Any]] = deque(maxlen=MOST_UNWRITTEN)
        self._lock = threading.Lock()
        self._has_cleared = False

    def rows(self, event: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        """An event as it is written down, for every target that wants such events."""
        now = datetime.now(timezone.utc)
        # A name of its own, not the row's number: SQLite gives a number again once its row is gone.
        envelope = {"id": f"msg_{secrets.token_hex(12)}", "type": event, "timestamp": rfc3339(now)}
        body = json.dumps({**envelope, "data": data})
        return [
            {"url": t.url, "body": body, "tries": 0, "next": now.timestamp(), "given_up": False}
            for t in self._targets.values()
            if event in t.events
        ]

    def notify(self, event: str, data: dict[str, Any]) -> None:
        """Notes it for every target that wants such events."""
        rows = self.rows(event, data)
        with self._lock:
            full = len(self._unwritten) + len(rows) > MOST_UNWRITTEN
            self._unwritten += rows
        if full:
            log.error("webhooks: %d events wait: the oldest are dropped", MOST_UNWRITTEN)

    def run_once(self) -> None:
        self.write_down()
        if not self._has_cleared:
            self._clear()
            self._has_cleared = True

    def finish(self) -> None:
        """What was told last is written down, for the next start to send."""
        self.write_down()

    def write_down(self) -> None:
        """From memory into the database; what it does not take now stays in memory."""
        with self._lock:
            rows = list(self._unwritten)
        if not rows:
            return
        with self._engine.begin() as connection:
            connection.execute(insert(deliveries), rows)
        ids = set(map(id, rows))
        with self._lock:  # some of them may have been dropped meanwhile
            while self._unwritten and id(self._unwritten[0]) in ids:
                self._unwritten.popleft()

    def _clear(self) -> None:
        """What waits for receivers that the settings do not name any more."""
        with self._engine.begin() as connection:
            connection.execute(delete(deliveries).where(deliveries.c.url.not_in(self._targets)))
