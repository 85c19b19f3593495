"""A TCP proxy on loopback that can be as bad as a school's network.

A proxy rather than tc netem, which not every kernel has. Loss is what TCP makes of it: pauses, and
now and then a connection that is reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from typing import Literal

Mode = Literal["pass", "cut", "delay", "loss", "half_open"]

CHUNK = 65_536
PAUSE_S = 0.3
RESETS = 0.05
"""The share of chunks at which a lossy line breaks."""


class FaultProxy:
    """Listens on `port`, passes on to `target`, in a thread; `mode` may be set at any time.

    `half_open` swallows what is sent without ending any connection, and those that it has swallowed
    from stay dead afterwards, as behind a firewall that has forgotten them.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._mode: Mode = "pass"
        self._random = random.Random(target)
        self._writers: set[asyncio.StreamWriter] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def be(self, mode: Mode) -> None:
        self._loop.call_soon_threadsafe(self._set, mode)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)

    async def _end(self) -> None:
        self._server.close()
        ours = asyncio.all_tasks() - {asyncio.current_task()}
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)

    def _set(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "cut":
            self._cut(self._writers)
        if mode == "half_open":
            self._dead |= self._writers

    @staticmethod
    def _cut(writers: set[asyncio.StreamWriter]) -> None:
        for writer in list(writers):
            writer.transport.abort()

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            back.transport.abort()
            return
        try:
            far, there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            back.transport.abort()
            return
        both = {back, there}
        self._writers |= both
        if self._mode == "half_open":
            self._dead |= both
        ways = [
            asyncio.ensure_future(self._pass_on(near, there)),
            asyncio.ensure_future(self._pass_on(far, back)),
        ]
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers -= both
            self._dead -= both
            self._cut(both)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                chunk = await reader.read(CHUNK)
            except OSError:
                return
            if not chunk:
                if writer in self._dead:  # the other side's end is swallowed too
                    await asyncio.sleep(3600)
                return
            if writer in self._dead:
                continue
            if self._mode == "delay":
                await asyncio.sleep(PAUSE_S)
            if self._mode == "loss":
                if self._random.random() < RESETS:
                    return
                await asyncio.sleep(self._random.expovariate(1 / PAUSE_S))
            try:
                writer.write(chunk)
                await writer.drain()
            except OSError:
                return
