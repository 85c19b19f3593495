"""How many connections there may be, and for how long one may say nothing.

Whoever connects and waits costs a file, and there are only so many. So a connection has a moment
for its handshake and its request, and where there is no room the one that has been idle longest
makes it, of the network that holds most. Requests and feeds that are being answered stay.
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
from typing import Any

import uvicorn

from collector.access.limits import network_of

log = logging.getLogger(__name__)

QUIET_S = 10.0
"""For the handshake; and for a request, from its first byte or the connection's beginning."""

OWN_FILES = 200
"""That the collector needs itself: database, broker, threads' pipes, whatever is read."""

SAID_EVERY_S = 60.0
BREATH_S = 0.1


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
    """One that was accepted; `protocol` is uvicorn's, once the handshake is over."""

    def __init__(self, raw: socket.socket, network: str) -> None:
        self.raw, self.network = raw, network
        self.protocol: Any = None

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        cycle = getattr(self.protocol, "cycle", None)
        return cycle is None or cycle.response_complete

    @property
    def has_asked(self) -> bool:
        """Whether a whole request has come by it."""
        return getattr(self.protocol, "cycle", None) is not None

    def close(self) -> None:
        transport = getattr(self.protocol, "transport", None)
        if transport is not None:
            transport.abort()
        else:
            with contextlib.suppress(OSError):
                self.raw.shutdown(socket.SHUT_RDWR)


class Connections:
    """All of them, by network and age."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._by_network: dict[str, OrderedDict[int, Connection]] = defaultdict(OrderedDict)
        self._closed, self._said = 0, 0.0

    def admit(self, raw: socket.socket, address: str) -> Connection | None:
        """Room for one more, made where there is none; None where all are being answered."""
        if self._count >= self._most and not self.make_room():
            return None
        connection = Connection(raw, network_of(address))
        self._by_network[connection.network][id(connection)] = connection
        self._count += 1
        return connection

    def make_room(self) -> bool:
        """Closes one of the network with most connections: the oldest that is idle.

        One that has asked for something before goes only where none has not: a browser keeps it.
        """
        for network in sorted(self._by_network.values(), key=len, reverse=True):
            idle = None
            for one in network.values():
                if one.idle and (idle is None or not one.has_asked):
                    idle = one
                    if not one.has_asked:
                        break
            if idle is not None:
                idle.close()
                self.leave(idle)
                self._tell()
                return True
        return False

    def leave(self, one: Connection) -> None:
        network = self._by_network.get(one.network)
        if network is not None and network.pop(id(one), None) is not None:
            self._count -= 1
            if not network:
                del self._by_network[one.network]

    def _tell(self) -> None:
        self._closed += 1
        now = time.monotonic()
        if now - self._said >= SAID_EVERY_S:
            log.warning("web: %d idle connections closed to make room", self._closed)
            self._closed, self._said = 0, now


class BoundedServer(uvicorn.Server):
    """uvicorn's server; it accepts the connections itself, within the bounds."""

    def __init__(self, config: uvicorn.Config, most: int) -> None:
        super().__init__(config)
        self._connections = Connections(room_for(most))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        for listener in sockets or []:
            listener.setblocking(False)
            self.servers.append(_Door(self, listener))  # type: ignore[arg-type]  # closes as one does

    def protocol(self, one: Connection) -> asyncio.Protocol:
        """uvicorn's protocol for a connection, with an end to silence."""
        kind = _watched(self.config.http_protocol_class)
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
        self._serving: set[asyncio.Task[None]] = set()
        self._task = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        self._task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(self._task, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        connections = self._server.connections
        while True:
            try:
                raw, address = await loop.sock_accept(self._listener)
            except OSError:  # no file left, or the client has gone
                connections.make_room()
                await asyncio.sleep(BREATH_S)
                continue
            one = connections.admit(raw, str(address[0]))
            if one is None:
                raw.close()
                await asyncio.sleep(BREATH_S)
                continue
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._serve(one))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            await asyncio.sleep(0)  # to others their turn, however many wait outside

    async def _serve(self, one: Connection) -> None:
        context = self._server.config.ssl
        limit = {} if context is None else {"ssl_handshake_timeout": QUIET_S}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._server.protocol(one), one.raw, ssl=context, **limit
            )
        except (OSError, ssl.SSLError, asyncio.TimeoutError):
            self._server.connections.leave(one)
            one.raw.close()


def _watched(base: Any) -> Any:
    """uvicorn's protocol, which here tells when it ends, and ends when nothing comes."""
    subclass = _WATCHED.get(base)
    if subclass is not None:
        return subclass

    class Watched(base):  # type: ignore[misc]  # one of uvicorn's two
        def watch(self, one: Connection, connections: Connections) -> None:
            self._own, self._all = one, connections
            self._late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._own.protocol = self
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
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

    _WATCHED[base] = Watched
    return Watched


_WATCHED: dict[Any, Any] = {}
