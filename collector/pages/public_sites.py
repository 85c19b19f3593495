"""What anybody may know of a site: its rooms, on whose authority, and what the school says of it.

Nothing in here tells what a camera counted, whether it is on now, or which device it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from collector.config import CollectorSettings, PublicPage, Retention
from collector.fleet.attestations import AttestationCatalog, KnownAttestation, in_force
from collector.fleet.registry import DeviceRegistry
from collector.live.rooms import Rooms
from edge.protocol.attestation import Attestation
from edge.protocol.messages import Fitting, Health

FRESH_S = 60.0
"""So old may what the page says be: nobody's questions cost the database more."""

Scope = Literal["expressions", "faces", "simulated", "unknown"]


class PublicRoom(NamedTuple):
    """One room, as its device last reported itself and as its authorisation says."""

    room: str
    title: str
    scope: Scope
    attestation: Attestation | None
    """Where expressions are read, or may be; none where the collector knows of none."""
    switches: tuple[Fitting, ...] | None
    """What the people in it can switch the camera off with; none where that is not known."""


class PublicSite(NamedTuple):
    site: str
    page: PublicPage
    rooms: tuple[PublicRoom, ...]
    retention: Retention
    audit_days: int
    day: date
    """Of the school's own calendar."""
    at: float

    @property
    def title(self) -> str:
        return self.page.title or self.site

    def only(self, room: str) -> PublicSite | None:
        """The same for the door of one room."""
        matches = tuple(one for one in self.rooms if one.room == room)
        return self._replace(rooms=matches) if matches else None


class PublicSites:
    """Those that the settings make public; each is put together once a minute at most."""

    def __init__(self, settings: CollectorSettings, engine: Engine, rooms: Rooms) -> None:
        self._settings, self._rooms = settings, rooms
        self._registry = DeviceRegistry(engine) if settings.fleet else None
        self._attestations = AttestationCatalog(settings, engine)
        self._lock = threading.Lock()
        self._sites: dict[str, PublicSite] = {}

    @property
    def names(self) -> list[str]:
        return sorted(self._settings.public)

    def get(self, site: str) -> PublicSite | None:
        page = self._settings.public.get(site)
        if page is None:
            return None
        last = self._sites.get(site)
        if last is not None and 0 <= time.time() - last.at < FRESH_S:
            return last
        # One asks the database: the others wait only where there is nothing to show them yet.
        if not self._lock.acquire(blocking=last is None):
            return last
        try:
            newest = self._sites.get(site)
            if newest is None or newest is last:
                newest = self._sites[site] = self._make(site, page)
            return newest
        finally:
            self._lock.release()

    def _make(self, site: str, page: PublicPage) -> PublicSite:
        entries, _ = self._attestations.of(site)
        now = time.time()
        today = datetime.fromtimestamp(now, ZoneInfo(self._settings.school.timezone)).date()
        rooms = (self._room(site, room, entries, today) for room in self._names_of_rooms(site))
        return PublicSite(
            site,
            page,
            tuple(sorted(rooms, key=lambda one: (one.title, one.room))),
            self._settings.retention_of(site),
            self._settings.audit_days,
            today,
            now,
        )

    def _names_of_rooms(self, site: str) -> set[str]:
        """Where a device is, or has sent something that is still stored."""
        names = {view.room for view in self._rooms.all() if view.site == site}
        for device in self._registry.all() if self._registry else ():
            if device.room[0] == site:
                has_ended = device.certificate is None or device.certificate.has_ended
                (names.discard if has_ended else names.add)(device.room[1])
        return names

    def _room(self, site: str, room: str, entries: list[KnownAttestation], day: date) -> PublicRoom:
        status = self._rooms.view(site, room).status
        health = status.health if status else None
        scope = _scope(health)
        entry = in_force(entries, site, room, day) if scope in ("expressions", "unknown") else None
        return PublicRoom(
            room,
            self._settings.title(site, room),
            scope,
            entry.attestation if entry else None,
            _switches(health),
        )


def _scope(health: Health | None) -> Scope:
    if health is None:
        return "unknown"
    if health.because in ("exempt_source", "exempt_demo"):
        return "simulated"
    return "expressions" if health.mode == "emotion" else "faces"


def _switches(health: Health | None) -> tuple[Fitting, ...] | None:
    if health is None or health.fitted is None:
        return None
    return tuple(part for part in health.fitted if part != "light")


def text_in(texts: Mapping[str, str], language: str) -> str:
    """A text of the school's in a reader's language, else in the first that there is."""
    return texts.get(language) or texts.get("any") or next(iter(texts.values()))


def language_in(texts: Mapping[str, str], language: str) -> str | None:
    """Which language that is, for whoever hears it read; none where the settings do not say."""
    if language in texts or "any" in texts:
        return None
    return next(iter(texts))
