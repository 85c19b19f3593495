"""The parts that routes need, together; made by service.py alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from collector.access.accounts import Accounts
from collector.access.audit import Audit
from collector.access.guard import Guard
from collector.access.hashing import HashingQueue
from collector.access.known_browsers import KnownBrowsers
from collector.access.limits import Guesses, Limits
from collector.access.oidc import Provider
from collector.access.sessions import Sessions
from collector.config import Retention
from collector.fleet.service import Office
from collector.ingest.ingest import Ingest
from collector.lessons.checkins import CheckIns
from collector.lessons.report import Reports
from collector.lessons.repository import Book, Lesson
from collector.live.panel_broadcaster import Painter
from collector.live.rooms import Key, Rooms
from collector.pages.panel import Panels
from collector.pages.render import Renderer
from collector.storage.store import Store


class Desk(NamedTuple):
    """What a route may reach for."""

    engine: Engine
    store: Store
    rooms: Rooms
    ingest: Ingest
    registry: CollectorRegistry
    accounts: Accounts
    sessions: Sessions
    audit: Audit
    limits: Limits
    guesses: Guesses
    hashing: HashingQueue
    browsers: KnownBrowsers
    secure: bool
    """Whether cookies insist on HTTPS."""
    guard: Guard
    book: Book
    checkins: CheckIns
    reports: Reports
    renderer: Renderer
    panels: Panels
    painter: Painter
    provider: Provider | None
    kept: Callable[[str], Retention]
    sites_kept: dict[str, Retention]
    tell: Callable[[str, Lesson], None]
    command: Callable[[Key, str], None]
    url: Callable[[], str]
    problems: Callable[[], dict[str, str]]
    broker: tuple[str, int]
    office: Office | None
