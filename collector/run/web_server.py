"""Serves the pages in a thread of its own, and begins anew should the server end by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.concurrency import run_in_threadpool

from collector.run.connections import BoundedServer
from edge.common.errors import UserError, in_words
from edge.common.worker import Worker

log = logging.getLogger(__name__)

REQUESTS_END_S = 5.0


STRANGERS = (
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
    "Invalid HTTP request received.",
)
"""What uvicorn says of a request that is none: as often as somebody likes to send one."""


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line of the server's is of this machine, and not of a stranger's request."""
    return not str(record.msg).startswith(STRANGERS)


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Raises UserError for files with which no page could be served."""
    if certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"cannot be used together ({in_words(error)})",
            f"web: {certificate}, {key}",
            "check that both are there, are PEM, and belong together",
        ) from None


class WebServer(Worker):
    """`app` on a listening socket; `end_feeds` is called before the end, which waits for feeds."""

    def __init__(
        self,
        app: Any,
        listener: socket.socket,
        certificate: Path | None,
        key: Path | None,
        end_feeds: Callable[[], None],
        proxies: tuple[str, ...] = (),
        most: int = 3000,
    ) -> None:
        super().__init__("web", ends_in_s=3.0)
        self._app, self._listener = app, listener
        self._certificate, self._key = certificate, key
        self._end_feeds = end_feeds
        self._proxies, self._most = proxies, most
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beating: asyncio.Future[None] | None = None

    def run_once(self) -> None:
        """Serves until the end."""
        logging.getLogger("uvicorn.error").addFilter(_is_ours)
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",  # there are none, and each try would be a line in the log
            proxy_headers=bool(self._proxies),
            forwarded_allow_ips=list(self._proxies),
            timeout_graceful_shutdown=1,
            ssl_certfile=self._certificate,
            ssl_keyfile=self._key,
        )
        self._server = server = BoundedServer(config, self._most, self._pulse)
        server.should_exit = self._stopping.is_set()
        server.run(sockets=[self._listener.dup()])  # it closes what it is given
        if not self._stopping.is_set():
            raise RuntimeError("the server ended by itself")

    def stop(self) -> bool:
        self._end_feeds()
        self._stopping.set()
        if self._server is not None:
            self._server.should_exit = True
        has_ended = super().stop()
        self._listener.close()
        return self._requests_end() and has_ended

    def _requests_end(self) -> bool:
        """Waits for requests in threads, which the server leaves behind when it ends: they may be
        in the middle of a commit. Returns whether all have ended."""
        end = time.monotonic() + REQUESTS_END_S
        loop = self._loop
        threads = [
            one for one in threading.enumerate() if loop and getattr(one, "loop", None) is loop
        ]
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        if busy := sum(thread.is_alive() for thread in threads):
            log.warning("web: %d requests are still at work: not waited for", busy)
            return False
        return True

    def renew_certificate(self) -> None:
        """The next connection gets what now is in the certificate's file."""
        server, loop = self._server, self._loop
        context = server.config.ssl if server is not None else None
        if context is None or self._certificate is None or loop is None or loop.is_closed():
            return
        with contextlib.suppress(RuntimeError):  # it was closed just now
            # Where connections begin too: between certificate and key none may.
            loop.call_soon_threadsafe(context.load_cert_chain, self._certificate, self._key)

    def _pulse(self) -> None:
        """A sign of life from the loop, by way of the threads that answer: either may be stuck."""
        self._loop = asyncio.get_running_loop()
        if self._beating is None or self._beating.done():
            self._beating = asyncio.ensure_future(run_in_threadpool(self.beat))
