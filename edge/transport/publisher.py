"""Sends windows from the outbox until the collector acknowledges them, and tells how we do.

QoS 1 is not durability: the broker's PUBACK does not mean stored. A window leaves the outbox only
when the collector says that it has committed it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from edge.common.broker import BrokerSettings
from edge.common.clock import WallClock
from edge.common.link import Link, Will
from edge.outbox.store import Outbox
from edge.protocol.messages import Ack, Command, Health, MessageError, State, Status, decode, topic
from edge.run.supervision import Progress

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Unacknowledged windows on their way at a time: a collector that cannot store gets no more."""

RESEND_S, LONGEST_RESEND_S = 10.0, 300.0
"""A window is sent again after so long, twice as long each time while none is acknowledged."""

STATUS_EVERY_S = 30.0


class Publisher:
    """One MQTT connection with its thread; `start`, then `wake` after every new window."""

    def __init__(
        self,
        settings: BrokerSettings,
        outbox: Outbox,
        *,
        site: str,
        room: str,
        device: str,
        boot: UUID,
        health: Callable[[], Health],
        on_command: Callable[[Command], None],
        clock: WallClock,
    ) -> None:
        self._outbox = outbox
        self._site, self._room, self._device, self._boot = site, room, device, boot
        self._health = health
        self._on_command = on_command
        self._clock = clock
        self._state: State = "online"
        self._sent: dict[tuple[UUID, int], float] = {}
        self._resend_s = RESEND_S
        self._acknowledged: float | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._progress = Progress()
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)
        self._link = Link(
            settings,
            f"roommood-agent-{site}-{device}",
            log,
            topics=(self._topic("ack"), self._topic("command")),
            on_up=self._connected,
            on_message=self._received,
            meanwhile="windows wait in the outbox",
            will=Will(self._topic("status"), self._status("offline").encode()),
            clock=clock,
        )

    def start(self) -> None:
        self._progress.beat()
        self._link.start()
        self._thread.start()

    def wake(self) -> None:
        """There is a new window in the outbox."""
        self._wake.set()

    def say(self, state: State) -> None:
        """Tells everyone at once that the agent works or is paused."""
        self._state = state
        self._publish_status(state)

    def still(self) -> float:
        """For how many seconds nothing has moved here; a thread that has died will not again."""
        return self._progress.still() if self._link.alive and self._thread.is_alive() else math.inf

    def last_ack_s(self) -> int | None:
        """Seconds since the collector last acknowledged a window, in this run."""
        at = self._acknowledged
        return None if at is None else int(time.monotonic() - at)

    def stop(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for acknowledgements, says offline, disconnects."""
        end = time.monotonic() + timeout
        self._wake.set()
        while self._link.connected and len(self._outbox) and time.monotonic() < end:
            time.sleep(0.02)
        self._stopping.set()
        self._wake.set()
        if self._link.connected:
            farewell = self._publish_status("offline")
            with contextlib.suppress(RuntimeError):  # the connection went this moment
                farewell.wait_for_publish(max(0.1, end - time.monotonic()))
        self._link.stop()
        if self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        status_due = time.monotonic() + STATUS_EVERY_S
        while not self._stopping.is_set():
            self._progress.beat()
            self._wake.wait(1.0)
            self._wake.clear()
            if not self._link.connected or self._stopping.is_set():
                continue
            self._send_waiting()
            if time.monotonic() >= status_due:
                status_due = time.monotonic() + STATUS_EVERY_S
                self._publish_status(self._state)

    def _send_waiting(self) -> None:
        """The oldest windows, and before them the newest: nobody waits for it behind a backlog."""
        now = time.monotonic()
        waiting = self._outbox.waiting(AT_ONCE)
        newest = self._outbox.newest()
        if newest is not None and newest not in waiting:
            waiting.insert(0, newest)
        again = False
        for mood in waiting:
            with self._lock:
                key = (mood.boot, mood.seq)
                before = self._sent.get(key)
                if before is not None and now - before < self._resend_s:
                    continue
                again = again or before is not None
                self._sent[key] = now
            # Only the newest window is retained: a late reader must not find an old one.
            self._link.publish(self._topic("mood"), mood.encode(), retain=mood == newest)
        if again:
            self._resend_s = min(2 * self._resend_s, LONGEST_RESEND_S)

    def _connected(self) -> None:
        self._publish_status(self._state)
        with self._lock:
            self._sent.clear()
        self._wake.set()

    def _received(self, name: str, payload: bytes) -> None:
        try:
            if name == self._topic("ack"):
                ack = decode(Ack, payload)
                self._outbox.remove(ack.boot, ack.seq, ack.windows)
                self._forget_sent(ack.boot, ack.seq)
                self._wake.set()
            else:
                self._on_command(decode(Command, payload))
        except MessageError as error:
            log.warning("%s: refused: %s", name, error)

    def _forget_sent(self, boot: UUID, seq: int) -> None:
        """Windows sent before one that was acknowledged got lost, since MQTT keeps the order.

        It happens when the agent is back at a restarted broker before the collector is: they are
        sent again at once instead of after RESEND_S.
        """
        with self._lock:
            acknowledged = self._sent.pop((boot, seq), 0.0)
            self._sent = {key: at for key, at in self._sent.items() if at >= acknowledged}
            self._resend_s, self._acknowledged = RESEND_S, time.monotonic()

    def _publish_status(self, state: State) -> Any:
        return self._link.publish(self._topic("status"), self._status(state).encode(), retain=True)

    def _status(self, state: State) -> Status:
        return Status(
            schema="roommood.status/1",
            site=self._site,
            room=self._room,
            device=self._device,
            boot=self._boot,
            state=state,
            at=self._clock.now().at,
            health=None if state == "offline" else self._health(),
        )

    def _topic(self, leaf: Any) -> str:
        return topic(self._site, self._room, leaf)
