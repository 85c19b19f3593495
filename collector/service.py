"""Wires the collector: broker to store, store to pages. The only file that knows every part."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from collector.access.accounts import Accounts
from collector.access.audit import Audit
from collector.access.guard import Guard, Limits
from collector.access.oidc import Provider
from collector.access.secret import own_key
from collector.access.sessions import Sessions
from collector.access.settings_audit import settings_noticed
from collector.api import routes as api
from collector.app_context import Desk
from collector.config import CollectorSettings
from collector.fleet import routes
from collector.fleet.service import Office
from collector.ingest.ingest import Ingest
from collector.integrations.home_assistant import HomeAssistantRooms
from collector.integrations.metrics import RoomMetrics
from collector.integrations.webhooks import Webhooks, target
from collector.lessons.checkins import CheckIns
from collector.lessons.report import Reports, listed
from collector.lessons.repository import Book, Lesson
from collector.lessons.scheduler import Clerk
from collector.lessons.summary import Summaries
from collector.lessons.timetable import timetable_of
from collector.live.history import KEPT_S
from collector.live.panel_broadcaster import Painter
from collector.live.rooms import Key, Rooms
from collector.pages import fleet, lessons, people, render, school, sign_in, sign_on
from collector.pages import rooms as room_pages
from collector.pages.middleware import answer_errors, listen, protect
from collector.pages.panel import Panels
from collector.retention import Keeper
from collector.storage.database import connect
from collector.storage.store import Store
from edge.protocol.messages import Command, Mood, Status, topic

FIRST_RUN_S = 3600.0


class Service:
    """A running collector between `start` and `stop`; `on_stored` hears of every new window."""

    def __init__(
        self, settings: CollectorSettings, on_stored: Callable[[Mood], None] = lambda _mood: None
    ) -> None:
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        key = own_key(settings.state)
        self._engine = connect(settings.database)
        store = Store(self._engine)
        self.accounts = Accounts(self._engine)
        self.sessions = Sessions(self._engine, self.accounts)
        self.audit = Audit(self._engine, settings.state, key)
        settings_noticed(self._engine, self.audit, settings, key)
        self.rooms = Rooms()
        self._remember(store)
        self.registry = registry = CollectorRegistry()
        registry.register(RoomMetrics(self.rooms))
        hooks = [target(h.url, h.secret.get_secret_value(), h.events) for h in settings.webhooks]
        self._webhooks = Webhooks(self._engine, hooks)
        book, checkins = Book(self._engine), CheckIns(self._engine)
        summaries = Summaries(store, book)
        renderer = render.Renderer(settings.school.timezone)
        panels = Panels(self.rooms, book, checkins, renderer)
        self._painter = Painter(panels.draw, lambda room: self.rooms.view(*room).state)
        self._clerk = Clerk(
            book,
            summaries,
            lambda: [(view.site, view.room) for view in self.rooms.all()],
            timetable_of(settings),
            self._lesson,
            find=settings.school.find_lessons,
        )
        self._keeper = Keeper(self._engine, settings.kept)
        self._on_stored = on_stored
        self._ingest = Ingest(
            settings.broker, settings.name, store, self.rooms, registry, self._stored, self._heard
        )
        self._states: dict[Key, str] = {}
        home = settings.home_assistant
        self._home = (
            HomeAssistantRooms(home.prefix, self._ingest.publish_retained) if home else None
        )
        limits = Limits()
        self.office = (
            Office(settings.fleet, self._engine, self.audit, limits, settings.broker, self._renewed)
            if settings.fleet
            else None
        )
        self._socket = listen(settings.web.host, settings.web.port)
        desk = Desk(
            engine=self._engine,
            store=store,
            rooms=self.rooms,
            ingest=self._ingest,
            registry=registry,
            accounts=self.accounts,
            sessions=self.sessions,
            audit=self.audit,
            limits=limits,
            guard=Guard(self.sessions, book, self.audit, limits),
            book=book,
            checkins=checkins,
            reports=Reports(book, summaries, checkins, settings.school.attentive),
            renderer=renderer,
            panels=panels,
            painter=self._painter,
            provider=Provider(settings.oidc, self.accounts) if settings.oidc else None,
            kept=settings.kept,
            sites_kept=settings.retention,
            tell=self._lesson,
            command=self._command,
            url=lambda: self.url,
            broker=(settings.broker.host, settings.broker.port),
            office=self.office,
        )
        self.app = self._app(desk)
        self._server = self._uvicorn(key)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    @property
    def url(self) -> str:
        """How people reach it."""
        web = self._settings.web
        host, port = self._socket.getsockname()[:2]
        scheme = "https" if web.certificate else "http"
        return web.url or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def first_run(self) -> str | None:
        """An address that lets whoever has it make the first account; None where there is one."""
        if not self.accounts.is_empty():
            return None
        self.sessions.end_links("administrator")
        return self.enter(FIRST_RUN_S)

    def enter(self, seconds: float) -> str:
        """An address that signs in as an administrator without an account."""
        secret = self.sessions.make_link("the collector", seconds, role="administrator")
        return f"{self.url}/enter/{secret}"

    def start(self) -> None:
        self._thread.start()
        for part in (self._painter, self._webhooks, self._keeper, self._clerk, self._ingest):
            part.start()
        if self.office is not None:
            self.office.start()

    def stop(self) -> None:
        """Stores what was received, then ends the feeds and the web server."""
        self._ingest.stop()
        if self.office is not None:
            self.office.stop()
        self._clerk.stop()
        self._painter.stop()
        self.rooms.close()
        self._server.should_exit = True
        self._thread.join(3)
        self._webhooks.stop()
        self._keeper.stop()
        self._engine.dispose()

    def _remember(self, store: Store) -> None:
        now = datetime.now(timezone.utc)
        for kept in store.latest():
            self.rooms.saw(kept.mood, kept.received)
            since = min(now, kept.mood.start) - timedelta(seconds=KEPT_S)
            mood = kept.mood
            self.rooms.remember(store.between(mood.site, mood.room, since, mood.start))

    def _stored(self, mood: Mood) -> None:
        self._clerk.saw(mood)
        self._changed((mood.site, mood.room))
        self._on_stored(mood)

    def _heard(self, status: Status) -> None:
        if self.office is not None:
            self.office.heard(status)
        self._changed((status.site, status.room))

    def _changed(self, key: Key) -> None:
        self._painter.changed(key)
        view = self.rooms.view(*key)
        if self._home is not None:
            self._home.tell(view)
        before, self._states[key] = self._states.get(key), view.state
        if before not in (None, view.state):
            told = {"site": key[0], "room": key[1], "state": view.state, "before": before}
            self._webhooks.tell("room_state", told)

    def _lesson(self, event: str, lesson: Lesson) -> None:
        self._painter.changed((lesson.site, lesson.room))
        self._webhooks.tell(event, listed(lesson).model_dump(mode="json"))

    def _command(self, key: Key, command: Any) -> None:
        self._ingest.publish(topic(*key, "command"), Command(command=command).encode())

    def _renewed(self) -> None:
        """The site's certificate of this server is a new one: the next connection gets it."""
        web, context = self._settings.web, self._server.config.ssl
        if context is not None and web.certificate is not None and self._loop is not None:
            # Where connections begin too: between certificate and key none may.
            load = context.load_cert_chain
            self._loop.call_soon_threadsafe(load, web.certificate, web.key)

    def _uvicorn(self, key: bytes) -> uvicorn.Server:
        web = self._settings.web
        config = uvicorn.Config(
            protect(self.app, key, web.secure),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=web.certificate,
            ssl_keyfile=web.key,
        )
        return uvicorn.Server(config)

    def _app(self, desk: Desk) -> FastAPI:
        @contextlib.asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            loop = self._loop = asyncio.get_running_loop()
            self.rooms.serve_on(loop)
            self._painter.serve_on(loop)
            yield

        app = FastAPI(
            title="roommood collector",
            version=version("roommood"),
            summary="Aggregated counts of the expressions in a room.",
            docs_url=None,  # FastAPI's own page fetches its scripts from elsewhere
            redoc_url=None,
            openapi_url=None,  # ours is behind the guard, as everything is
            lifespan=lifespan,
            dependencies=[Depends(desk.guard)],
        )
        answer_errors(app, desk.renderer)
        app.include_router(api.router(desk))
        for pages in (room_pages, lessons, people, sign_in, sign_on):
            app.include_router(pages.router(desk))
        app.include_router(people.own_router(desk))
        app.include_router(routes.router(desk))
        app.include_router(fleet.router(desk))
        app.include_router(fleet.api(desk))
        app.include_router(school.router(desk, app.openapi))
        app.add_api_route("/api/openapi.json", app.openapi, include_in_schema=False)
        app.mount("/static", StaticFiles(directory=render.STATIC), name="static")
        return app
