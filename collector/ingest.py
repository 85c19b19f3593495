"""Takes messages from the broker: checks, commits, then acknowledges.

A window is acknowledged only after its commit. Everything else that arrives is refused, counted,
and never stored.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.exc import SQLAlchemyError

from collector.live import Rooms
from collector.store import Store
from edge.broker import BrokerSettings, Trouble, client, connect
from edge.mood import Ack, MessageError, Mood, Status, address, decode, topic

log = logging.getLogger(__name__)

BATCH = 500
"""Windows committed together at most; under load a commit is shared, at rest it is not awaited."""

RETRY_S = 2.0


class Ingest:
    """One MQTT connection and one writer thread."""

    def __init__(
        self,
        settings: BrokerSettings,
        name: str,
        store: Store,
        rooms: Rooms,
        registry: CollectorRegistry,
        on_stored: Callable[[Mood], None] = lambda _mood: None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._rooms = rooms
        self._on_stored = on_stored
        self._waiting: queue.Queue[Mood | None] = queue.Queue(maxsize=4 * BATCH)
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._messages = Counter(
            "roommood_messages", "Messages received.", ["kind", "result"], registry=registry
        )
        self._client = client(settings, f"roommood-{name}")
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._received
        self._trouble = Trouble(log)
        self._stopping = False

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    def start(self) -> None:
        self._writer.start()
        connect(self._client, self._settings)

    def stop(self) -> None:
        """Writes what was received, then leaves the broker."""
        self._stopping = True
        self._client.on_message = None
        self._waiting.put(None)
        self._writer.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self._trouble.refused(reason)
            return
        log.info("broker: connected to %s:%d", self._settings.host, self._settings.port)
        self._trouble.over()
        self._client.subscribe([(topic("+", "+", "mood"), 1), (topic("+", "+", "status"), 1)])

    def _disconnected(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if not self._stopping:
            self._trouble.lost(reason, "trying again")

    def _received(self, _c: Any, _u: Any, message: Any) -> None:
        kind = message.topic.rpartition("/")[2]
        try:
            if kind == "mood":
                self._waiting.put(self._checked(Mood, message))
            else:
                self._rooms.heard(self._checked(Status, message))
                self._messages.labels("status", "accepted").inc()
        except MessageError as error:
            self._messages.labels(kind, "refused").inc()
            log.warning("%s: refused: %s", message.topic, error)

    @staticmethod
    def _checked(kind: Any, message: Any) -> Any:
        """The message, which must speak of the room on whose topic it came."""
        content = decode(kind, message.payload)
        where = address(message.topic)
        if where is None or where[:2] != (content.site, content.room):
            raise MessageError("site or room: not those of the topic")
        return content

    def _write(self) -> None:
        while True:
            batch: list[Mood] = []
            item = self._waiting.get()
            while item is not None:
                batch.append(item)
                if len(batch) >= BATCH or self._waiting.empty():
                    break
                item = self._waiting.get()
            if batch:
                self._commit(batch)
            if item is None:
                return

    def _commit(self, batch: list[Mood]) -> None:
        try:
            new = self._store.add(batch)
        except SQLAlchemyError as error:
            # Nothing is acknowledged, so the agents keep these windows and send them again.
            self._messages.labels("mood", "failed").inc(len(batch))
            log.error("database: %s; windows stay with their agents", str(error).splitlines()[0])
            time.sleep(RETRY_S)
            return
        for mood in batch:
            ack = Ack(boot=mood.boot, seq=mood.seq, windows=mood.windows).encode()
            self._client.publish(topic(mood.site, mood.room, "ack"), ack, qos=1)
        now = time.time()
        for mood in new:
            self._rooms.saw(mood, now)
            self._on_stored(mood)
        self._messages.labels("mood", "stored").inc(len(new))
        self._messages.labels("mood", "repeated").inc(len(batch) - len(new))
