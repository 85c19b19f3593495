"""How many connections there may be, and for how long one may say nothing.

Whoever connects and waits costs a file, and there are only so many. So a connection has a moment
for its handshake and its request, and where there is no room the one that has waited longest makes
it, of the network of which most wait. Requests and feeds that are being answered stay. Of whoever
has said nothing yet there is a socket and nothing more: thousands of them cost others no time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import uvicorn

from collector.access.limits import network_of

log = logging.getLogger(__name__)

QUIET_S = 10.0
"""For the handshake; and for a request, from its first byte or the connection's beginning."""

OWN_FILES = 200
"""That the collector needs itself: database, broker, threads' pipes, whatever is read."""

SAID_EVERY_S = 60.0
BREATH_S, ROUND_S = 0.1, 1.0
BEATS_S = 1.0
"""How often the loop has to show that it answers."""
AT_ONCE = 64
"""So many are accepted before others have their turn."""


def room_for(most: int) -> int:
    """How many connections this process can have, of `most`; raises its limit of files to that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = most + OWN_FILES
    if soft < need:
        soft = need if hard == resource.RLIM_INFINITY else min(need, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(16, min(most, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OWN_FILES))


class Connection:
    """One that was accepted; `protocol` is uvicorn's, once it has said something and the handshake
    is over."""

    def __init__(self, raw: socket.socket, network: str) -> None:
        self.raw, self.network = raw, network
        self.since = time.monotonic()
        self.protocol: Any = None
        self.let_go: Callable[[], None] | None = None
        """How it is closed while it has said nothing."""

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        cycle = getattr(self.protocol, "cycle", None)
        return cycle is None or cycle.response_complete

    def close(self) -> None:
        transport = getattr(self.protocol, "transport", None)
        if self.let_go is not None:
            self.let_go()
        elif transport is not None:
            transport.abort()
        else:
            with contextlib.suppress(OSError):
                self.raw.shutdown(socket.SHUT_RDWR)


Networks = defaultdict[str, OrderedDict[int, Connection]]


class Connections:
    """All of them, by network and age; apart are those that have asked for something."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._newcomers: Networks = defaultdict(OrderedDict)
        self._customers: Networks = defaultdict(OrderedDict)
        self._close_count, self._last_warning = 0, 0.0

    def admit(self, raw: socket.socket, address: str) -> Connection | None:
        """Room for one more, made where there is none; None where all are being answered."""
        if self._count >= self._most and not self.make_room():
            return None
        connection = Connection(raw, network_of(address))
        self._newcomers[connection.network][id(connection)] = connection
        self._count += 1
        return connection

    def asks(self, one: Connection) -> None:
        """A whole request has come by it."""
        if _without(self._newcomers, one):
            self._customers[one.network][id(one)] = one

    def make_room(self) -> bool:
        """Closes the oldest of the network of which most have asked for nothing yet.

        One that has asked for something before goes only where none has not: a browser keeps it.
        Those that are being answered do not count: a network with many has no less room for more.
        """
        if self._newcomers:
            network = max(self._newcomers.values(), key=len)
            self._close(next(iter(network.values())))
            return True
        for network in sorted(self._customers.values(), key=len, reverse=True):
            for one in network.values():
                if one.idle:
                    self._close(one)
                    return True
        return False

    def end_silent(self, seconds: float) -> None:
        """Closes those that have asked for nothing so long after they came."""
        now = time.monotonic()
        for network in list(self._newcomers.values()):
            for one in list(network.values()):
                if now - one.since < seconds:
                    break
                one.close()
                self.leave(one)

    def leave(self, one: Connection) -> None:
        if _without(self._newcomers, one) or _without(self._customers, one):
            self._count -= 1

    def _close(self, one: Connection) -> None:
        one.close()
        self.leave(one)
        self._close_count += 1
        now = time.monotonic()
        if now - self._last_warning >= SAID_EVERY_S:
            log.warning("web: %d idle connections closed to make room", self._close_count)
            self._close_count, self._last_warning = 0, now


def _without(networks: Networks, one: Connection) -> bool:
    """Whether it was there; now it is not."""
    network = networks.get(one.network)
    if network is None or network.pop(id(one), None) is None:
        return False
    if not network:
        del networks[one.network]
    return True


class BoundedServer(uvicorn.Server):
    """uvicorn's server; it accepts the connections itself, within the bounds.

    `on_beat` is called by the loop every second, whatever becomes of the clock."""

    def __init__(
        self, config: uvicorn.Config, most: int, on_beat: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(config)
        self._connections = Connections(room_for(most))
        self._on_beat = on_beat
        self._beats: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._beats = asyncio.get_running_loop().create_task(self._beat())
        for listener in sockets or []:
            listener.setblocking(False)
            self.servers.append(_Door(self, listener))  # type: ignore[arg-type]  # closes as one does

    async def _beat(self) -> None:
        """uvicorn's own notification goes by the wall clock: set back by an hour, it says nothing
        for an hour."""
        while True:
            self._on_beat()
            await asyncio.sleep(BEATS_S)

    def protocol(self, one: Connection) -> asyncio.Protocol:
        """uvicorn's protocol for a connection, with an end to silence."""
        kind = _watch(self.config.http_protocol_class)
        protocol: asyncio.Protocol = kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        protocol.watch(one, self._connections)  # type: ignore[attr-defined]  # of the class just made
        return protocol

    @property
    def connections(self) -> Connections:
        return self._connections


class _Door:
    """Accepts from one listening socket until it is closed."""

    def __init__(self, server: BoundedServer, listener: socket.socket) -> None:
        self._server, self._listener = server, listener
        self._connections = server.connections
        self._loop = asyncio.get_running_loop()
        self._serving: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._rounds = self._loop.create_task(self._end_silent())
        self._open()

    def close(self) -> None:
        self._shut()
        self._rounds.cancel()
        self._connections.end_silent(0.0)
        self._listener.close()

    async def wait_closed(self) -> None:
        await asyncio.gather(self._rounds, return_exceptions=True)

    def _open(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._accept)

    def _shut(self) -> None:
        self._loop.remove_reader(self._listener)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _accept(self) -> None:
        """Some of those that stand outside, then it is others' turn."""
        for _ in range(AT_ONCE):
            try:
                raw, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no file left
                self._connections.make_room()
                self._rest()
                return
            raw.setblocking(False)
            one = self._connections.admit(raw, str(address[0]))
            if one is None:
                raw.close()
                self._rest()
                return
            self._await_words(one)

    def _rest(self) -> None:
        self._shut()
        self._pause = self._loop.call_later(BREATH_S, self._open)

    def _await_words(self, one: Connection) -> None:
        """There is a protocol for it once it has said something."""

        def begin() -> None:
            self._loop.remove_reader(one.raw)
            one.let_go = None
            with contextlib.suppress(OSError):
                one.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._serve(one))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

        def let_go() -> None:
            self._loop.remove_reader(one.raw)
            one.raw.close()

        one.let_go = let_go
        self._loop.add_reader(one.raw, begin)

    async def _serve(self, one: Connection) -> None:
        context = self._server.config.ssl
        limit = {} if context is None else {"ssl_handshake_timeout": QUIET_S}
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._server.protocol(one), one.raw, ssl=context, **limit
            )
        except (OSError, ssl.SSLError, asyncio.TimeoutError):
            self._connections.leave(one)
            one.raw.close()

    async def _end_silent(self) -> None:
        while True:
            await asyncio.sleep(min(QUIET_S, ROUND_S))
            self._connections.end_silent(QUIET_S)


def _watch(base: Any) -> Any:
    """uvicorn's protocol, which here tells when it ends, and ends when nothing comes."""
    subclass = _PROTOCOLS.get(base)
    if subclass is not None:
        return subclass

    class WatchedProtocol(base):  # type: ignore[misc]  # one of uvicorn's two
        def watch(self, one: Connection, connections: Connections) -> None:
            self._own, self._all = one, connections
            self._late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._own.protocol = self
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None:
                self._all.asks(self._own)
            if self._late is None and self._own.idle:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._late is not None:
                self._late.cancel()
            self._all.leave(self._own)
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._late = asyncio.get_running_loop().call_later(QUIET_S, self._is_late)

        def _is_late(self) -> None:
            self._late = None
            if self._own.idle:
                self._own.close()

    _PROTOCOLS[base] = WatchedProtocol
    return WatchedProtocol


_PROTOCOLS: dict[Any, Any] = {}
