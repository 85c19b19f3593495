"""The list of rooms, and one room: the glance, and what a teacher can do there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import Engine

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.guard import Guard, SignedIn, may_see, owns, sees
from collector.access.sessions import Sessions
from collector.api.fields import RECONNECT_MS, Command, RoomName, SiteName
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.rooms import Key, Rooms, RoomView
from collector.pages.panel import Panels, sentence
from collector.pages.redirects import back_to
from collector.pages.render import Renderer, language_of, words
from collector.retention import erase_room

HOUR_S = 3600
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router(
    *,
    engine: Engine,
    rooms: Rooms,
    accounts: Accounts,
    sessions: Sessions,
    audit_log: AuditLog,
    guard: Guard,
    book: LessonRepository,
    renderer: Renderer,
    panels: Panels,
    painter: PanelBroadcaster,
    notify: Callable[[str, Lesson], None],
    send_command: Callable[[Key, str], None],
    own_url: Callable[[], str],
    forget: Callable[[str, str], None],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/")
    def index(request: Request, who: SignedIn) -> Any:
        if accounts.is_empty() and who.role == "administrator":
            return RedirectResponse("/first-run", 303)
        if who.role == "viewer":
            site, room = next(iter(who.rooms))
            return RedirectResponse(f"/rooms/{site}/{room}", 303)
        language = language_of(request)
        shown = book.running() if may_see(who) else []  # IT has rooms, and no lessons
        running = {(one.site, one.room): one for one in shown}
        cards = [
            (view, _card(view, language, who.role == "it"), running.get((view.site, view.room)))
            for view in rooms.all()
            if sees(who, view.site, view.room)
        ]
        linked = who.role != "it"
        return renderer.page(request, "rooms.html", cards=cards, linked=linked)

    @pages.get("/rooms/{site}/{room}")
    def room_page(request: Request, who: SignedIn, site: SiteName, room: RoomName) -> Any:
        audit_log.viewed(who.said, "room viewed", f"{site}/{room}")
        return _page(request, who, site, room)

    def _page(request: Request, who: SignedIn, site: str, room: str, **more: Any) -> Any:
        view = rooms.view(site, room)
        if view.mood is None and view.status is None:
            raise HTTPException(404)
        running = book.running(site, room)
        lesson = running[0] if running else None
        mine = who.role != "viewer"
        context = {
            "view": view,
            "panel": panels.draw((site, room), language_of(request)),
            "lesson": lesson if mine else None,
            "lesson_mine": lesson is not None and owns(who, lesson),
            "mine": mine,
            "check_url": f"{own_url()}/check",
            "links": sessions.links((site, room)) if mine else [],
            "new_link": None,
            "told": None,
            "path": f"/rooms/{site}/{room}",
        }
        return renderer.page(request, "room.html", **(context | more))

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
        async for panel in guard.while_allowed(request, painter.feed(key, language)):
            yield ServerSentEvent(raw_data=panel, event="panel", retry=RECONNECT_MS)

    @pages.post("/rooms/{site}/{room}/command")
    def command(
        request: Request,
        who: SignedIn,
        site: SiteName,
        room: RoomName,
        command: Annotated[Command, Form()],
    ) -> Any:
        send_command((site, room), command)
        audit_log.add(who.said, command, f"{site}/{room}")
        if who.role == "it":
            return back_to("/")
        told = words(language_of(request))["room"]["sent"]
        return _page(request, who, site, room, told=told)

    @pages.post("/rooms/{site}/{room}/lessons")
    def start(
        who: SignedIn, site: SiteName, room: RoomName, title: Annotated[str, Form(max_length=120)]
    ) -> Any:
        teacher = accounts.shown(who.account)
        lesson = book.begin(site, room, title, "button", teacher=teacher, account=who.account)
        if lesson is not None:
            notify("lesson_began", lesson)
            painter.changed((lesson.site, lesson.room))
        return back_to(f"/rooms/{site}/{room}")

    @pages.post("/rooms/{site}/{room}/links")
    def link(
        request: Request,
        who: SignedIn,
        site: SiteName,
        room: RoomName,
        hours: Annotated[int, Form(ge=1, le=720)],
    ) -> Any:
        seconds, place = hours * HOUR_S, (site, room)
        secret = sessions.make_link(who.name, seconds, place, account=who.account)
        audit_log.add(who.said, "link made", f"{site}/{room} for {hours} h")
        return _page(request, who, site, room, new_link=f"{own_url()}/enter/{secret}")

    @pages.post("/rooms/{site}/{room}/links/{link}/cut")
    def cut(who: SignedIn, site: SiteName, room: RoomName, link: Number) -> Any:
        sessions.cut((site, room), link)
        audit_log.add(who.said, "link ended", f"{site}/{room} link {link}")
        return back_to(f"/rooms/{site}/{room}")

    @pages.post("/rooms/{site}/{room}/erase")
    def erase(
        who: SignedIn, site: SiteName, room: RoomName, confirm: Annotated[str, Form()]
    ) -> Any:
        if confirm.strip() != room:
            raise HTTPException(409)
        gone = erase_room(engine, site, room)
        rooms.forget(site, room)
        forget(site, room)
        audit_log.add(who.said, "room erased", f"{site}/{room}: {gone} windows")
        return back_to("/")

    return pages


def _card(view: RoomView, language: str, health_only: bool) -> str:
    """One line of a room in the list."""
    t = words(language)
    if health_only:
        answers = view.state in ("live", "withheld", "waiting")
        return str(t["sentences"]["checked" if answers else view.state])
    if view.state == "live" and view.mood is not None:
        return str(t["rooms"]["faces"].format(view.mood.faces))
    return sentence(view, language)
