"""Wires the collector: broker to store, store to pages. The only file that knows every part."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from collector import api, pages
from collector.config import CollectorSettings
from collector.ingest import Ingest
from collector.live import Rooms
from collector.store import Store
from edge.errors import Refusal
from edge.mood import Mood

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class SecureHeaders:
    """ASGI middleware: the same strict headers on every answer, streams included."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        async def secured(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in self._headers}
                theirs = [header for header in message["headers"] if header[0] not in ours]
                message["headers"] = [*theirs, *self._headers]
            await send(message)

        await self._app(scope, receive, secured if scope["type"] == "http" else send)


class Service:
    """A running collector between `start` and `stop`; `on_stored` hears of every new window."""

    def __init__(
        self, settings: CollectorSettings, on_stored: Callable[[Mood], None] = lambda _mood: None
    ) -> None:
        self._settings = settings
        self._store = Store(settings.database)
        self.rooms = Rooms()
        for kept in self._store.latest():
            self.rooms.saw(kept.mood, kept.received)
        registry = CollectorRegistry()
        self._ingest = Ingest(
            settings.broker, settings.name, self._store, self.rooms, registry, on_stored
        )
        self._socket = _listen(settings.web.host, settings.web.port)
        config = uvicorn.Config(
            self._app(registry),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    @property
    def url(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        self._thread.start()
        self._ingest.start()

    def stop(self) -> None:
        """Stores what was received, then ends the feeds and the web server."""
        self._ingest.stop()
        self.rooms.close()
        self._server.should_exit = True
        self._thread.join(3)
        self._store.close()

    def _app(self, registry: CollectorRegistry) -> FastAPI:
        @contextlib.asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            self.rooms.serve_on(asyncio.get_running_loop())
            yield

        app = FastAPI(
            title="roommood collector",
            version=version("roommood"),
            summary="Aggregated counts of the expressions in a room.",
            docs_url=None,  # FastAPI's own page fetches its scripts from elsewhere
            redoc_url=None,
            openapi_url="/api/openapi.json",
            lifespan=lifespan,
        )
        app.add_middleware(SecureHeaders)
        app.include_router(api.router(self._store, self.rooms, self._ingest, registry))
        app.include_router(pages.router(self._store, self.rooms, app))
        app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
        return app


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise Refusal(f"web: {host}:{port}: {reason}: choose another port or host") from None
    return listener
