"""The web application: every router, given the services that it uses and no others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import NamedTuple

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.bounded_queue import BoundedQueue
from collector.access.guard import Guard
from collector.access.known_browsers import KnownBrowsers
from collector.access.limits import Guesses, Limits
from collector.access.oidc import Provider
from collector.access.sessions import Sessions
from collector.api import devices, routes
from collector.config import Retention
from collector.fleet import routes as device_routes
from collector.fleet.service import FleetService
from collector.ingest.ingest import Ingest
from collector.lessons.checkins import CheckIns
from collector.lessons.report import Reports
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.pending import PendingCommands
from collector.live.rooms import Key, Rooms
from collector.pages import (
    about,
    design,
    fleet,
    lesson_changes,
    lessons,
    password_sign_in,
    people,
    render,
    room_actions,
    school,
    sign_in,
    sign_on,
)
from collector.pages import rooms as room_pages
from collector.pages.middleware import answer_errors
from collector.pages.panel import Panels
from collector.pages.pdf import PdfQueue
from collector.pages.public_sites import PublicSites
from collector.pages.render import Renderer
from collector.storage.erasures import Erasures
from collector.storage.store import Store


class AppContext(NamedTuple):
    """What the application needs of the service, made by service.py."""

    store: Store
    rooms: Rooms
    ingest: Ingest
    registry: CollectorRegistry
    accounts: Accounts
    sessions: Sessions
    audit_log: AuditLog
    limits: Limits
    guesses: Guesses
    hashing: BoundedQueue
    papers: PdfQueue
    browsers: KnownBrowsers
    secure_cookies: bool
    """Whether cookies insist on HTTPS."""
    guard: Guard
    repository: LessonRepository
    checkins: CheckIns
    reports: Reports
    renderer: Renderer
    panels: Panels
    broadcaster: PanelBroadcaster
    pending: PendingCommands
    markers: tuple[str, ...]
    """What this school's markers are called."""
    provider: Provider | None
    retention_of: Callable[[str], Retention]
    site_retention: dict[str, Retention]
    backup_count: int | None
    public_sites: PublicSites
    notify: Callable[[str, Lesson], None]
    send_command: Callable[[Key, str], None]
    own_url: Callable[[], str]
    base: str
    """The path below which a reverse proxy shows all of it, or nothing."""
    erasures: Erasures
    forget: Callable[[str, str, bool], None]
    """Takes back what others keep of a room of which something was erased; or all of it."""
    problems: Callable[[], dict[str, str]]
    broker_address: tuple[str, int]
    fleet: FleetService | None


def make_app(context: AppContext) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        context.rooms.serve_on(loop)
        context.broadcaster.serve_on(loop)
        yield

    app = FastAPI(
        title="roommood collector",
        version=version("roommood"),
        summary="Aggregated counts of the expressions in a room.",
        docs_url=None,  # FastAPI's own page fetches its scripts from elsewhere
        redoc_url=None,
        servers=[{"url": context.base}] if context.base else None,
        openapi_url=None,  # ours is behind the guard, as everything is
        lifespan=lifespan,
        dependencies=[Depends(context.guard)],
    )
    answer_errors(app, context.renderer, context.guard)
    _add_api(app, context)
    _add_pages(app, context)
    app.add_api_route("/api/openapi.json", app.openapi, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=render.STATIC), name="static")
    return app


def _add_api(app: FastAPI, context: AppContext) -> None:
    app.include_router(
        routes.router(
            store=context.store,
            rooms=context.rooms,
            ingest=context.ingest,
            registry=context.registry,
            audit_log=context.audit_log,
            guard=context.guard,
            repository=context.repository,
            reports=context.reports,
            send_command=context.send_command,
            problems=context.problems,
        )
    )
    app.include_router(devices.router(rooms=context.rooms, fleet=context.fleet))
    app.include_router(device_routes.router(limits=context.limits, fleet=context.fleet))


def _add_pages(app: FastAPI, context: AppContext) -> None:
    app.include_router(
        room_pages.router(
            rooms=context.rooms,
            accounts=context.accounts,
            sessions=context.sessions,
            audit_log=context.audit_log,
            guard=context.guard,
            repository=context.repository,
            renderer=context.renderer,
            panels=context.panels,
            broadcaster=context.broadcaster,
            pending=context.pending,
            markers=context.markers,
            own_url=context.own_url,
        )
    )
    app.include_router(
        room_actions.router(
            erasures=context.erasures,
            rooms=context.rooms,
            accounts=context.accounts,
            sessions=context.sessions,
            audit_log=context.audit_log,
            repository=context.repository,
            broadcaster=context.broadcaster,
            renderer=context.renderer,
            notify=context.notify,
            send_command=context.send_command,
            own_url=context.own_url,
            forget=context.forget,
        )
    )
    app.include_router(
        lessons.router(
            audit_log=context.audit_log,
            repository=context.repository,
            reports=context.reports,
            renderer=context.renderer,
            retention_of=context.retention_of,
            sessions=context.sessions,
            papers=context.papers,
        )
    )
    app.include_router(
        lesson_changes.router(
            erasures=context.erasures,
            forget=context.forget,
            rooms=context.rooms,
            audit_log=context.audit_log,
            repository=context.repository,
            renderer=context.renderer,
            broadcaster=context.broadcaster,
            notify=context.notify,
            sessions=context.sessions,
            own_url=context.own_url,
        )
    )
    app.include_router(
        people.router(
            accounts=context.accounts,
            sessions=context.sessions,
            audit_log=context.audit_log,
            renderer=context.renderer,
        )
    )
    app.include_router(design.router(renderer=context.renderer))
    app.include_router(
        about.router(
            limits=context.limits,
            renderer=context.renderer,
            sites=context.public_sites,
            own_url=context.own_url,
        )
    )
    draw_form = sign_in.sign_in_form(context.renderer, context.provider)
    app.include_router(
        sign_in.router(
            sessions=context.sessions,
            audit_log=context.audit_log,
            limits=context.limits,
            renderer=context.renderer,
            draw_form=draw_form,
        )
    )
    app.include_router(
        password_sign_in.router(
            accounts=context.accounts,
            sessions=context.sessions,
            audit_log=context.audit_log,
            guesses=context.guesses,
            hashing=context.hashing,
            browsers=context.browsers,
            secure_cookies=context.secure_cookies,
            draw_form=draw_form,
        )
    )
    app.include_router(
        sign_on.router(
            sessions=context.sessions,
            audit_log=context.audit_log,
            provider=context.provider,
            own_url=context.own_url,
        )
    )
    app.include_router(
        people.own_router(
            accounts=context.accounts,
            sessions=context.sessions,
            audit_log=context.audit_log,
            limits=context.limits,
            renderer=context.renderer,
        )
    )
    app.include_router(
        fleet.router(
            rooms=context.rooms,
            renderer=context.renderer,
            own_url=context.own_url,
            fleet=context.fleet,
        )
    )
    app.include_router(
        school.router(
            rooms=context.rooms,
            ingest=context.ingest,
            accounts=context.accounts,
            audit_log=context.audit_log,
            limits=context.limits,
            repository=context.repository,
            checkins=context.checkins,
            renderer=context.renderer,
            retention_of=context.retention_of,
            site_retention=context.site_retention,
            backup_count=context.backup_count,
            public_sites=context.public_sites.names,
            broker_address=context.broker_address,
            has_fleet=context.fleet is not None,
            openapi=app.openapi,
        )
    )
