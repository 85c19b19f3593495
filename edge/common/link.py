"""Keeps one MQTT connection up, whatever happens to it, and says when that changes.

MQTT 5 where the broker speaks it, 3.1.1 where not. A connection on which the broker no longer
confirms what we send is half-open: one side believes in it. It is given up.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from socket import SHUT_RDWR
from socket import socket as Socket
from typing import Any, NamedTuple

from paho.mqtt import client as mqtt

from edge.common.broker import WILL_WAITS_S, BrokerSettings, Version, client, connect, properties
from edge.common.clock import WallClock
from edge.common.reach import explain, no_answer, rejection
from edge.common.worker import Worker

UNCONFIRMED_S = 5.0
"""A broker confirms within milliseconds; past this, nobody is there."""

CLOSED_EARLY = 3
"""Connections that the broker closes without an answer, before another version is tried."""

EVERY_S = 0.5
LONGEST_WAIT_S = 4.0
"""Between tries of making another client, as between connections: see edge/common/broker.py."""

FAREWELL_S = 1.0
"""For saying goodbye to a broker that may not listen."""

HANGS_S = 15.0
"""A try to connect ends within some seconds, well or badly, but for the look-up of a name."""

HELD_UP_S = 10.0
"""After which a network thread that does not move is told of; after a worker's patience it counts
as one that stands still."""

SHORT_S, SHORT_ONES = 10.0, 4
"""Connections so short, so many in a row: somebody ends them, and MQTT 3.1.1 does not say who."""

TAKEN_OVER = "Session taken over"
BAD_VERSION = "Unsupported protocol version"


class Will(NamedTuple):
    """What the broker says of us when we are gone."""

    topic: str
    payload: bytes


class Guest(NamedTuple):
    """Somebody else's use of the same connection: their topics, and who hears of them."""

    topics: tuple[str, ...] = ()
    on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
    on_up: Callable[[], None] = lambda: None
    will: Will | None = None


class MqttLink(Worker):
    """Between `start` and `stop`; the callbacks come from paho's thread, and must not block long.

    Raises UserError when it is made, for certificates that cannot be used.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        log: logging.Logger,
        *,
        topics: Sequence[str],
        on_up: Callable[[], None],
        on_message: Callable[[str, bytes], None],
        meanwhile: str,
        on_kept: Callable[[str, bytes], None] | None = None,
        will: Will | None = None,
        clock: WallClock | None = None,
    ) -> None:
        super().__init__("link", EVERY_S, ends_in_s=1.0, longest_wait_s=LONGEST_WAIT_S)
        self._settings, self._id, self._log = settings, client_id, log
        self._topics = topics
        self._on_up, self._on_message = on_up, on_message
        self._on_kept = on_kept or on_message
        """For what the broker kept from before."""
        self._meanwhile = meanwhile
        self._will = will
        self._clock = clock or WallClock()
        self._version: Version = "3.1.1" if settings.protocol == "3.1.1" else "5"
        self._may_change = settings.protocol == "auto"
        self._closed_early = 0
        self._complaint = ""
        self._up_since: float | None = None
        self._leaves = False
        self._was_answered = False
        """Whether the connection that is there, or being made, got the broker's word."""
        self._short = 0
        """Connections in a row that lasted for less than SHORT_S."""
        self._sends: dict[int, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        """For what both threads write: ours, which makes clients, and paho's."""
        self._renew = False
        self._beat_at, self._is_called = time.monotonic(), False
        """When paho's thread last moved; and whether it is in a callback of ours."""
        self._certificate: tuple[int, int] | None = None
        self._news = time.monotonic()
        """When a try to connect last ended, or a connection."""
        self._client = self._make_client(self._version)

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected()

    def start(self) -> None:
        self._news = time.monotonic()
        connect(self._client, self._settings, self._version)
        super().start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Any:
        """QoS 1; returns paho's MQTTMessageInfo."""
        client = self._client
        is_connected = client.is_connected()
        info = client.publish(topic, payload, qos=1, retain=retain)
        if is_connected and info.rc == mqtt.MQTT_ERR_SUCCESS:
            with self._lock:
                # Of one that was replaced meanwhile nothing will be confirmed any more.
                if client is self._client:
                    self._sends[info.mid] = (time.monotonic(), info)
        return info

    def cut(self) -> None:
        """Ends the connection without a word, as a network does; a new one is made."""
        _cut(self._client)

    def stop(self) -> bool:
        has_ended = super().stop()
        self._leaves = True
        self._client.disconnect()
        cut = threading.Timer(FAREWELL_S, _cut, (self._client,))
        cut.name = "farewell's end"
        cut.start()
        # Apart, since who looks up a name where DNS hangs cannot be told to end; nobody waits.
        farewell = threading.Thread(
            target=self._end, args=(self._client,), name="farewell", daemon=True
        )
        farewell.start()
        farewell.join(2 * FAREWELL_S)
        cut.cancel()
        return has_ended

    def _make_client(self, version: Version) -> mqtt.Client:
        self._certificate = self._certificate_now()
        mqtt_client = client(self._settings, self._id, version, self._clock)
        mqtt_client.beat = self._network_beat
        self._doubts_clock = self._clock.is_lost()
        mqtt_client.on_connect = self._safely(self._on_connect)
        mqtt_client.on_connect_fail = self._safely(self._on_connect_fail)
        mqtt_client.on_disconnect = self._safely(self._on_disconnect)
        mqtt_client.on_message = self._safely(self._receive)
        if self._will:
            waits = {"properties": properties("WILLMESSAGE", WillDelayInterval=WILL_WAITS_S)}
            options = waits if version == "5" else {}
            mqtt_client.will_set(*self._will, qos=1, retain=True, **options)
        return mqtt_client

    def run_once(self) -> None:
        """Looks whether the connection is to be made anew, and does it."""
        if self._renew or self._is_half_open() or self._is_outdated():
            self._replace()
        elif self._client.loop_start() == mqtt.MQTT_ERR_SUCCESS:  # it says no while one runs
            self._complain("its thread had ended: begun anew")
        elif not self.is_connected and time.monotonic() - self._news > HANGS_S:
            self._complain(
                f"{self._settings.host}: still looking up this name after {HANGS_S:.0f} s; "
                f"{self._meanwhile}: check DNS (/etc/resolv.conf), or set broker.host to an "
                "address",
                while_down=True,
            )

    def _replace(self) -> None:
        with self._lock:
            self._renew = True  # until it is done: certificates that are just being written fail
            version = self._version
        fresh, old = self._make_client(version), self._client
        _cut(old)
        self._end(old)  # from here on nobody calls us
        with self._lock:
            self._client = fresh
            self._sends.clear()
            self._up_since, self._was_answered = None, False
            # The old one may have asked for another version while this one was made.
            self._renew = self._version != version
        self._news = time.monotonic()
        if not self._renew:
            connect(fresh, self._settings, version)

    @staticmethod
    def _end(old: mqtt.Client) -> None:
        old.on_connect = old.on_disconnect = old.on_message = None
        old.loop_stop()

    def _is_half_open(self) -> bool:
        with self._lock:
            self._sends = {
                mid: (at, info)
                for mid, (at, info) in self._sends.items()
                if not info.is_published()
            }
            oldest = min((at for at, _ in self._sends.values()), default=None)
        if oldest is None or not self.is_connected or time.monotonic() - oldest < UNCONFIRMED_S:
            return False
        self._complain("nothing is being confirmed; reconnecting")
        return True

    def _is_outdated(self) -> bool:
        """Whether the certificate was renewed, or the clock set since dates were not looked at."""
        if self._certificate_now() != self._certificate:
            self._log.info("broker: the certificate was renewed; reconnecting with the new one")
            return True
        return bool(self._settings.ca) and self._doubts_clock and not self._clock.is_lost()

    def _certificate_now(self) -> tuple[int, int] | None:
        """Tells one certificate file from the next; None while there is none."""
        if self._settings.certificate is None:
            return None
        try:
            stat = self._settings.certificate.stat()
        except OSError:
            return self._certificate
        return stat.st_ino, stat.st_mtime_ns

    def _on_connect(self, mqtt_client: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self._news, self._was_answered = time.monotonic(), True
        if reason.is_failure:
            if self._may_change and str(reason) == BAD_VERSION:
                self._other_version()
            else:
                self._complain(f"{rejection(reason, self._settings)}; {self._meanwhile}")
            return
        if self._doubts_clock and self._has_ended(mqtt_client.socket()):
            self._complain("the broker's certificate has expired")
            self._ask_anew()
            return
        self._closed_early, self._may_change = 0, False
        with self._lock:
            self._up_since, self._complaint = time.monotonic(), ""
        settings = self._settings
        self._log.info(
            "broker: connected to %s:%d, MQTT %s", settings.host, settings.port, self._version
        )
        mqtt_client.subscribe([(topic, 1) for topic in self._topics])
        self._on_up()

    def _has_ended(self, socket: Any) -> bool:
        if not isinstance(socket, ssl.SSLSocket):
            return False
        ends = ssl.cert_time_to_seconds(str((socket.getpeercert() or {})["notAfter"]))
        return datetime.fromtimestamp(ends, timezone.utc) < self._clock.floor

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self._news = time.monotonic()
        with self._lock:
            self._sends.clear()
        if self._leaves:
            return  # by our own wish: nothing is lost
        with self._lock:
            up_since, self._up_since = self._up_since, None
            was_answered, self._was_answered = self._was_answered, False
        if up_since is not None:
            self._on_loss(str(reason), time.monotonic() - up_since)
        elif not was_answered:
            self._complain(f"{no_answer(reason, self._settings)}; {self._meanwhile}")
        if self._may_change:
            self._closed_early += 1
            if self._closed_early >= CLOSED_EARLY:
                self._other_version()

    def _on_loss(self, reason: str, lasted_s: float) -> None:
        """A connection that was up has ended."""
        self._short = self._short + 1 if lasted_s < SHORT_S else 0
        if reason == TAKEN_OVER or self._short >= SHORT_ONES:
            self._complain(
                f"another client connects as '{self._id}' and ends our connection; "
                f"{self._meanwhile}: give each device a room and certificate of its own"
            )
        else:
            self._complain(f"connection lost ({reason}); {self._meanwhile}")

    def _on_connect_fail(self, *_: Any) -> None:
        """Called by paho while it handles what a try to connect has raised."""
        self._news = time.monotonic()
        error = sys.exc_info()[1]
        if error is not None:
            self._complain(f"{explain(error, self._settings)}; {self._meanwhile}")

    def fatal_problem(self) -> str:
        """Its own thread, or paho's: held up by what a callback waits for."""
        held_up = self._network_still() > self._patience_s
        network = f"its network thread has not moved for {self._patience_s:g} s" if held_up else ""
        return super().fatal_problem() or network

    def problem(self) -> str:
        """Why it does not do its work now, or nothing."""
        held_up = self._network_still() > HELD_UP_S
        network = f"its network thread has not moved for {HELD_UP_S:g} s" if held_up else ""
        return super().problem() or network or self._complaint

    def _network_beat(self) -> None:
        self._beat_at = time.monotonic()

    def _network_still(self) -> float:
        """For how many seconds paho's thread has not moved; 0 while it may wait, for a name or for
        its next try."""
        may_wait = self._up_since is None and not self._is_called
        return 0.0 if may_wait else time.monotonic() - self._beat_at

    def _receive(self, _c: Any, _u: Any, message: Any) -> None:
        take = self._on_kept if message.retain else self._on_message
        take(message.topic, bytes(message.payload))

    def _other_version(self) -> None:
        with self._lock:
            self._version = version = "3.1.1" if self._version == "5" else "5"
        self._closed_early = 0
        self._log.info("broker: trying MQTT %s", version)
        self._ask_anew()

    def _ask_anew(self) -> None:
        """For another client; made in our own thread, which paho's must not wait for."""
        with self._lock:
            self._renew = True
        self.wake()

    def _safely(self, act: Callable[..., None]) -> Callable[..., None]:
        """An internal error in handling a message must not end paho's thread unseen."""

        def guard(*args: Any) -> None:
            self._network_beat()
            self._is_called = True
            try:
                act(*args)
            except Exception:
                self._log.exception("broker: internal error")
            finally:
                self._is_called = False

        return guard

    def _complain(self, of: str, *, while_down: bool = False) -> None:
        """What is wrong, when it begins, not at each attempt to mend it; with `while_down` only if
        there is no connection by now."""
        with self._lock:
            if while_down and self._up_since is not None:
                return
            is_new, self._complaint = of != self._complaint, of
        if is_new:
            self._log.warning("broker: %s", of)


def _cut(old: mqtt.Client) -> None:
    """Ends a connection without a word: nobody would hear it."""
    socket = old.socket()
    if isinstance(socket, Socket):  # TLS too
        with contextlib.suppress(OSError):
            socket.shutdown(SHUT_RDWR)
