"""Tells other systems what happened, by POST, at least once, signed as Standard Webhooks has it.

What is to be told is in the database until somebody took it, or a day has passed; until it could
be written there it waits in memory, so that a full disk holds up nobody who has something to tell.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Engine, delete, insert, select, update
from standardwebhooks import Webhook as Signer

from collector.storage.erasures import Erasures, tells_of
from collector.storage.tables import deliveries
from edge.common.address import mask_path
from edge.common.errors import UserError
from edge.common.worker import Worker
from edge.protocol.messages import rfc3339

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3600.0
GIVES_UP_AFTER = 30
"""Tries: about a day."""
TIMEOUT_S = 10.0
LOOK_S = 1.0
MOST_UNWRITTEN = 10_000
"""Events in memory while the database takes none; past that the oldest go."""


class Target(NamedTuple):
    url: str
    signer: Signer
    events: frozenset[str]


def target(url: str, secret: str, events: Iterable[str]) -> Target:
    try:
        signer = Signer(secret)
    except Exception:  # the library raises what base64 raises, and its own
        raise UserError(
            "the secret is not base64",
            f"webhooks: {mask_path(url)}",
            "write it as in whsec_c2VjcmV0",
        ) from None
    return Target(url, signer, frozenset(events))


class Webhooks(Worker):
    """`notify` may be called from any thread; it asks neither the disk nor the network."""

    def __init__(
        self, engine: Engine, targets: Iterable[Target], erasures: Erasures | None = None
    ) -> None:
        super().__init__("webhooks", LOOK_S, ends_in_s=TIMEOUT_S + 1)
        self._erasures = erasures
        self._table = deliveries
        self._engine = engine
        self._targets = {target.url: target for target in targets}
        self._unwritten: deque[dict[str, Any]] = deque(maxlen=MOST_UNWRITTEN)
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

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
        import httpx  # noqa: PLC0415  # 0.1 s of a start without webhooks

        if self._client is None:
            self._client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False)
        self.round(self._client, time.time())

    def finish(self) -> None:
        """What was told last is written down, for the next start to send."""
        if self._client is not None:
            self._client.close()
        self.write_down()

    def write_down(self) -> None:
        """From memory into the database; what it does not take now stays in memory."""
        with self._lock:
            rows = list(self._unwritten)
        if not rows:
            return
        with self._engine.begin() as connection:
            connection.execute(insert(self._table), rows)
        ids = set(map(id, rows))
        with self._lock:  # some of them may have been dropped meanwhile
            while self._unwritten and id(self._unwritten[0]) in ids:
                self._unwritten.popleft()

    def round(self, client: httpx.Client, now: float) -> None:
        """Sends what is due, oldest first."""
        due = select(self._table).where(self._table.c.next <= now, ~self._table.c.given_up)
        with self._engine.connect() as connection:
            rows = connection.execute(due.order_by(self._table.c.id).limit(50)).all()
        if rows and self._erasures is not None:
            self._erasures.recheck()
        for row in rows:
            if self._stopping.is_set():
                return
            self.beat()
            receiver = self._targets.get(row.url)
            is_finished = receiver is None or self._is_erased(row.body)
            if is_finished or (receiver and self._send(client, receiver, _name(row), row.body)):
                where = self._table.c.id == row.id
                with self._engine.begin() as connection:
                    connection.execute(delete(self._table).where(where))
                continue
            wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**row.tries)
            over = row.tries + 1 >= GIVES_UP_AFTER
            if over:
                where_to = mask_path(row.url)
                log.error("webhooks: %s: did not accept an event for a day; giving up", where_to)
            values = {"tries": row.tries + 1, "next": time.time() + wait, "given_up": over}
            with self._engine.begin() as connection:
                where = self._table.c.id == row.id
                connection.execute(update(self._table).where(where).values(values))

    def _is_erased(self, body: str) -> bool:
        """Whether it is about what was erased since, while it waited or in a backup."""
        if self._erasures is None:
            return False
        return any(tells_of(body, one) for some in self._erasures.all().values() for one in some)

    @staticmethod
    def _send(client: httpx.Client, to: Target, name: str, body: str) -> bool:
        import httpx  # noqa: PLC0415  # 0.1 s of a start without webhooks

        at = datetime.now(timezone.utc)
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": to.signer.sign(name, at, body),
        }
        try:
            # What it says is not read: a receiver whose answer never ends would hold up the others.
            with client.stream("POST", to.url, content=body, headers=headers) as answer:
                return answer.is_success
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):  # a name that is none is the last
            return False


def _name(row: Any) -> str:
    """The same at each try; events of before they had names of their own go by their row."""
    return str(json.loads(row.body).get("id") or f"msg_{row.id}")
