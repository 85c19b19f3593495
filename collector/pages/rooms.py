"""The list of rooms, and one room: its summary, and what a teacher can do there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.guard import Guard, SignedIn, may_see, owns, sees
from collector.access.sessions import Sessions
from collector.api.fields import RECONNECT_MS, RoomName, SiteName
from collector.lessons.repository import LessonRepository
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.pending import PendingCommands
from collector.live.rooms import Rooms
from collector.pages.check_address import check_qr
from collector.pages.flash import take
from collector.pages.panel import Panels
from collector.pages.render import Renderer, language_of
from collector.pages.room_cards import room_cards
from collector.pages.words import words

HOUR_S = 3600
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router(
    *,
    rooms: Rooms,
    accounts: Accounts,
    sessions: Sessions,
    audit_log: AuditLog,
    guard: Guard,
    repository: LessonRepository,
    renderer: Renderer,
    panels: Panels,
    broadcaster: PanelBroadcaster,
    pending: PendingCommands,
    markers: tuple[str, ...],
    own_url: Callable[[], str],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/")
    def index(
        request: Request, who: SignedIn, text: Annotated[str, Query(max_length=80)] = ""
    ) -> Any:
        if accounts.is_empty() and who.role == "administrator":
            return RedirectResponse("/first-run", 303)
        if who.lesson is not None:
            return RedirectResponse(f"/lessons/{who.lesson}", 303)
        if who.role == "viewer":
            site, room = next(iter(who.rooms))
            return RedirectResponse(f"/rooms/{site}/{room}", 303)
        language = language_of(request)
        lessons = repository.running() if may_see(who) else []  # IT has rooms, and no lessons
        running = {(one.site, one.room): one for one in lessons}
        views = [view for view in rooms.all() if sees(who, view.site, view.room)]
        cards = room_cards(views, panels, running, language, counts=who.role != "it")
        count = len(cards)
        for word in text.lower().split():
            cards = [
                card
                for card in cards
                if word in card.search_text
                or word in renderer.room_title(card.view.site, card.view.room).lower()
            ]
        context: dict[str, Any] = {
            "cards": cards,
            "count": count,
            "text": text,
            "linked": who.role != "it",
        }
        return renderer.page(request, "rooms.html", **context)

    @pages.get("/rooms/{site}/{room}")
    def room_page(request: Request, who: SignedIn, site: SiteName, room: RoomName) -> Any:
        audit_log.add_view(who.log_name, "room viewed", f"{site}/{room}")
        return _page(request, who, site, room)

    @pages.get("/rooms/{site}/{room}/wall")
    def wall(request: Request, who: SignedIn, site: SiteName, room: RoomName) -> Any:
        """The same page for a projector: nothing but the room."""
        audit_log.add_view(who.log_name, "room viewed", f"{site}/{room}")
        return _page(request, who, site, room, wall=True)

    def _page(request: Request, who: SignedIn, site: str, room: str, wall: bool = False) -> Any:
        view = rooms.view(site, room)
        if view.mood is None and view.status is None:
            raise HTTPException(404)
        running = repository.running(site, room)
        lesson = running[0] if running else None
        mine = who.role != "viewer"
        language = language_of(request)
        own_markers = markers or tuple(words(language)["room"]["markers"].values())
        check_url = f"{own_url()}/check"
        context: dict[str, Any] = {
            "view": view,
            "title": renderer.room_title(site, room),
            "panel": panels.draw((site, room), language),
            "lesson": lesson if mine else None,
            "lesson_mine": lesson is not None and owns(who, lesson),
            "mine": mine,
            "markers": own_markers,
            "doing": pending.of((site, room), view.state),
            "check_url": check_url.partition("://")[2],
            "check_qr": check_qr(check_url, lesson.code) if lesson and lesson.code else "",
            "links": sessions.links((site, room)) if mine else [],
            "new_link": take(request, "link"),
            "flash": None,
            "path": f"/rooms/{site}/{room}",
            "wall": wall,
        }
        return renderer.page(request, "room.html", **context)

    @pages.get(
        "/rooms/{site}/{room}/live",
        response_class=EventSourceResponse,
        dependencies=[Depends(guard.room_for_feed)],
    )
    async def live(
        request: Request, site: SiteName, room: RoomName
    ) -> AsyncIterator[ServerSentEvent]:
        """The panel at every change; the page's own feed."""
        key, language = (site, room), language_of(request)
        async for panel in guard.authorized_feed(request, broadcaster.feed(key, language)):
            yield ServerSentEvent(raw_data=panel, event="panel", retry=RECONNECT_MS)

    return pages
