"""The JSON API: rooms, windows, the live feed, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.exc import SQLAlchemyError

from collector.coverage import Coverage, coverage
from collector.ingest import Ingest
from collector.live import Rooms, RoomState, View
from collector.store import Store
from edge.mood import Health, Mood

RECONNECT_MS = 1000
"""A browser whose feed ended asks again after so long; by default it is three seconds or more."""

LONGEST = timedelta(days=1)
LONGEST_WINDOW = timedelta(hours=1)
"""As in edge/merge.py, which makes none longer."""

HALF_HOUR = timedelta(minutes=30)

SiteName = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="The site's name.")]
RoomName = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="The room's name.")]

From = Annotated[
    AwareDatetime | None, Query(alias="from", description="RFC 3339; half an hour ago.")
]
To = Annotated[AwareDatetime | None, Query(alias="to", description="RFC 3339; now.")]


class RoomNow(BaseModel):
    """A room as it is now."""

    site: str
    room: str
    state: RoomState
    mood: Mood | None
    health: Health | None


class Alive(BaseModel):
    """Whether the parts that the collector needs answer."""

    status: str
    database: bool
    broker: bool


def _span(begin: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    until = end or datetime.now(timezone.utc)
    since = begin or until - HALF_HOUR
    if since > until:
        raise HTTPException(422, "'from' is later than 'to': swap them")
    return since, until


def room_now(view: View) -> RoomNow:
    health = view.status.health if view.status is not None else None
    return RoomNow(site=view.site, room=view.room, state=view.state, mood=view.mood, health=health)


def router(store: Store, rooms: Rooms, ingest: Ingest, registry: CollectorRegistry) -> APIRouter:
    """All routes that answer with data."""
    api = APIRouter()

    @api.get("/api/rooms", tags=["rooms"])
    def list_rooms() -> list[RoomNow]:
        """Every room that was ever heard of, with its state and newest window."""
        return [room_now(view) for view in rooms.all()]

    @api.get("/api/rooms/{site}/{room}/moods", tags=["rooms"], response_model_by_alias=True)
    def list_moods(
        site: SiteName,
        room: RoomName,
        begin: From = None,
        end: To = None,
    ) -> list[Mood]:
        """Windows that start from `from` up to `to`, oldest first; at most the newest 10,000."""
        since, until = _span(begin, end)
        return store.between(site, room, since, until)

    @api.get("/api/rooms/{site}/{room}/coverage", tags=["rooms"])
    def covered(
        site: SiteName,
        room: RoomName,
        begin: From = None,
        end: To = None,
    ) -> Coverage:
        """How much of a lesson, or of any time up to a day, was really seen, and its gaps."""
        since, until = _span(begin, end)
        if not timedelta() < until - since <= LONGEST:
            raise HTTPException(422, "'from' and 'to' must be apart, by a day at most")
        # A window that began earlier may reach into the time asked about.
        moods = store.between(site, room, since - LONGEST_WINDOW, until, limit=100_000)
        reaching = [m for m in moods if m.start + timedelta(seconds=m.seconds) > since]
        return coverage(reaching, since, until)

    @api.get("/api/rooms/{site}/{room}/live", tags=["rooms"], response_class=EventSourceResponse)
    async def live(site: SiteName, room: RoomName) -> AsyncIterator[ServerSentEvent]:
        """Events `mood` and `status`, each message as it was published; first what is known now."""
        async for event in rooms.feed(site, room):
            yield ServerSentEvent(raw_data=event.data, event=event.name, retry=RECONNECT_MS)

    @api.get("/healthz", tags=["service"])
    def healthz(response: Response) -> Alive:
        """200 while database and broker answer, else 503."""
        try:
            store.ping()
            database = ingest.storing
        except SQLAlchemyError:
            database = False
        good = database and ingest.connected
        response.status_code = 200 if good else 503
        return Alive(status="ok" if good else "failing", database=database, broker=ingest.connected)

    @api.get("/metrics", tags=["service"], response_class=Response)
    def metrics() -> Any:
        """Counters in Prometheus's text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return api
