"""The JSON API: rooms, windows, lessons, the live feed, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import AwareDatetime, BaseModel

from collector.access.audit import AuditLog
from collector.access.guard import Guard, SignedIn, ThisLesson, own_lessons, owns, sees
from collector.api.fields import RECONNECT_MS, REFUSALS, Command, RoomName, SiteName
from collector.api.paging import MOST, NEXT_PAGE, Before, Limit, as_array, next_page, place
from collector.ingest.ingest import Ingest
from collector.lessons.coverage import Coverage, coverage
from collector.lessons.report import LessonOut, LessonReport, Reports, lesson_out
from collector.lessons.repository import LessonFilter, LessonRepository
from collector.live.rooms import Key, Rooms, RoomState, RoomView
from collector.live.viewer_messages import ShownMood
from collector.storage.store import LONGEST_WINDOW, Store
from edge.protocol.messages import Health

LONGEST = timedelta(days=1)

HALF_HOUR = timedelta(minutes=30)

From = Annotated[
    AwareDatetime | None, Query(alias="from", description="RFC 3339; half an hour ago.")
]
To = Annotated[AwareDatetime | None, Query(alias="to", description="RFC 3339; now.")]


class RoomNow(BaseModel):
    """A room as it is now; `mood` is null for a role that may not see counts."""

    site: str
    room: str
    state: RoomState
    mood: ShownMood | None
    health: Health | None


class CommandReceipt(BaseModel):
    """What was passed on to the room's device."""

    command: Command


class ServiceHealth(BaseModel):
    """Whether the parts that the collector needs answer, and all of its own work."""

    status: str
    database: bool
    broker: bool
    workers: dict[str, str]
    """Those that do not do their work now, by name, and why."""


def _wrong(what: str) -> HTTPException:
    """In the form of other faults of a request."""
    return HTTPException(422, [{"loc": ["query", "from"], "msg": what, "type": "value_error"}])


def _span(begin: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    until = end or datetime.now(timezone.utc)
    try:
        since = begin or until - HALF_HOUR
        since.timestamp(), until.timestamp()
        since - LONGEST_WINDOW
    except (OverflowError, ValueError):
        raise _wrong("no such time") from None
    if since > until:
        raise _wrong("'from' is later than 'to': swap them")
    return since, until


def room_now(view: RoomView, *, counts: bool) -> RoomNow:
    health = view.status.health if view.status is not None else None
    if health is not None and not counts:
        health = health.model_copy(update={"faces": None})
    mood = ShownMood.of(view.mood) if counts and view.mood is not None else None
    return RoomNow(site=view.site, room=view.room, state=view.state, mood=mood, health=health)


def router(
    *,
    store: Store,
    rooms: Rooms,
    ingest: Ingest,
    registry: CollectorRegistry,
    audit_log: AuditLog,
    guard: Guard,
    repository: LessonRepository,
    reports: Reports,
    send_command: Callable[[Key, str], None],
    problems: Callable[[], dict[str, str]],
) -> APIRouter:
    """All routes that answer with data."""
    api = APIRouter(responses=REFUSALS)

    @api.get("/api/rooms", tags=["rooms"])
    def list_rooms(who: SignedIn) -> list[RoomNow]:
        """Every room that one may see, with its state and newest window."""
        return [
            room_now(view, counts=who.role != "it")
            for view in rooms.all()
            if sees(who, view.site, view.room)
        ]

    @api.get(
        "/api/rooms/{site}/{room}/moods",
        tags=["rooms"],
        response_model=list[ShownMood],
        responses={200: {"headers": {"Link": NEXT_PAGE}}},
    )
    def list_moods(
        who: SignedIn,
        request: Request,
        site: SiteName,
        room: RoomName,
        begin: From = None,
        end: To = None,
        limit: Limit = MOST,
        before: Before = None,
    ) -> Response:
        """Windows that start from `from` up to `to`, oldest first; the newest `limit` of them.

        Where there are older ones, the header `Link` has the address of the page with those.
        Whoever has a share link gets the last half hour at most, as the page shows it.
        """
        since, until = _span(begin, end)
        if who.role == "viewer":  # what the page that was shared shows, and not what was before
            since = max(since, datetime.now(timezone.utc) - HALF_HOUR)
            until = max(since, until)
        audit_log.add_view(who.log_name, "room read", f"{site}/{room}")
        until_place = place(before)
        oldest, more = store.oldest_of_page(site, room, since, until, limit, until_place)
        link = next_page(request, since, until, oldest) if more and oldest is not None else None
        parts = store.in_parts(site, room, since, until, oldest, until_place)
        return StreamingResponse(
            as_array(parts),
            media_type="application/json",
            headers={"Link": link} if link is not None else {},
        )

    @api.get("/api/rooms/{site}/{room}/coverage", tags=["rooms"])
    def room_coverage(
        site: SiteName, room: RoomName, begin: From = None, end: To = None
    ) -> Coverage:
        """How much of a time up to a day was really seen, and its gaps."""
        since, until = _span(begin, end)
        if not timedelta() < until - since <= LONGEST:
            raise _wrong("'from' and 'to' must be apart, by a day at most")
        return coverage(store.reaching(site, room, since, until), since, until)

    @api.get(
        "/api/rooms/{site}/{room}/live",
        tags=["rooms"],
        response_class=EventSourceResponse,
        dependencies=[Depends(guard.room_for_feed)],
    )
    async def live(
        request: Request, site: SiteName, room: RoomName
    ) -> AsyncIterator[ServerSentEvent]:
        """Events `mood` and `status`, as published but for `boot`; first what is known now."""
        async for event in guard.authorized_feed(request, rooms.feed(site, room)):
            yield ServerSentEvent(raw_data=event.data, event=event.name, retry=RECONNECT_MS)

    @api.post("/api/rooms/{site}/{room}/command", tags=["rooms"])
    def command(
        who: SignedIn,
        site: SiteName,
        room: RoomName,
        command: Annotated[Command, Body(embed=True)],
    ) -> CommandReceipt:
        """Switches the room's camera off, on, or off for today."""
        send_command((site, room), command)
        audit_log.add(who.log_name, command, f"{site}/{room}")
        return CommandReceipt(command=command)

    @api.get("/api/lessons", tags=["lessons"])
    def lessons(
        who: SignedIn,
        text: Annotated[str, Query(max_length=120, description="In title, room or teacher.")] = "",
        offset: Annotated[int, Query(ge=0, le=10**6, description="Newest to skip.")] = 0,
    ) -> list[LessonOut]:
        """One's own lessons, newest first; at most 200 of them."""
        only = LessonFilter(text=text, offset=offset)
        return [lesson_out(lesson) for lesson in own_lessons(repository, who, only=only)]

    @api.get("/api/lessons/{lesson}", tags=["lessons"])
    def report(
        who: SignedIn,
        lesson: Annotated[int, Path(description="The lesson's number.", ge=1, le=2**31 - 1)],
        record: ThisLesson,
    ) -> LessonReport:
        """A lesson's report, which is what the page draws."""
        audit_log.add_view(who.log_name, "report read", f"lesson {lesson}")
        return reports.of(record, lambda other: owns(who, other))

    @api.get("/healthz", tags=["service"])
    async def healthz(response: Response) -> ServiceHealth:
        """200 while database and broker answer and every worker does its work, else 503.

        From memory and in no thread, so that there is an answer whatever hangs.
        """
        broker, workers = ingest.is_connected, problems()
        database = ingest.storing and "database" not in workers
        good = database and broker and not workers
        response.status_code = 200 if good else 503
        status = "ok" if good else "failing"
        return ServiceHealth(status=status, database=database, broker=broker, workers=workers)

    @api.get("/metrics", tags=["service"], response_class=Response)
    def metrics() -> Any:
        """Counters and gauges in Prometheus's text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return api
