"""What a teacher does on a room's page: camera, lessons, share links, erasing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.guard import SignedIn
from collector.access.sessions import Sessions
from collector.api.fields import Command, RoomName, SiteName
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.rooms import Key, Rooms
from collector.pages.flash import leave
from collector.pages.question import Confirm, ask, ask_about_link
from collector.pages.redirects import back_to
from collector.pages.render import Renderer, language_of
from collector.pages.words import words
from collector.retention.erasing import erase_room
from collector.storage.erasures import Erasures

HOUR_S = 3600
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router(
    *,
    erasures: Erasures,
    rooms: Rooms,
    accounts: Accounts,
    sessions: Sessions,
    audit_log: AuditLog,
    repository: LessonRepository,
    broadcaster: PanelBroadcaster,
    renderer: Renderer,
    notify: Callable[[str, Lesson], None],
    send_command: Callable[[Key, str], None],
    own_url: Callable[[], str],
    forget: Callable[[str, str, bool], None],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.post("/rooms/{site}/{room}/command")
    def command(
        request: Request,
        who: SignedIn,
        site: SiteName,
        room: RoomName,
        command: Annotated[Command, Form()],
        back: Annotated[str, Form(max_length=300)] = "",
    ) -> Any:
        send_command((site, room), command)
        audit_log.add(who.log_name, command, f"{site}/{room}")
        if back:
            doing = words(language_of(request))["room"]["doing"][command]
            leave(request, "told", f"{renderer.room_title(site, room)}: {doing}")
            return back_to(back)
        return back_to("/" if who.role == "it" else f"/rooms/{site}/{room}")

    @pages.post("/rooms/{site}/{room}/lessons")
    def start(
        who: SignedIn, site: SiteName, room: RoomName, title: Annotated[str, Form(max_length=120)]
    ) -> Any:
        teacher = accounts.display_name(who.account)
        running = repository.running(site, room)
        if running and running[0].how == "found" and running[0].account is None:
            # It has begun already, and keeps what it has: naming it makes it this teacher's.
            repository.adopt(running[0], title, teacher, who.account)
            audit_log.add(
                who.log_name, "lesson described", f"lesson {running[0].id} in {site}/{room}"
            )
        else:
            lesson = repository.begin(
                site, room, title, "button", teacher=teacher, account=who.account
            )
            if lesson is not None:
                notify("lesson_began", lesson)
        broadcaster.refresh((site, room))
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
        audit_log.add(who.log_name, "link made", f"{site}/{room} for {hours} h")
        leave(request, "link", f"{own_url()}/enter/{secret}")
        return back_to(f"/rooms/{site}/{room}")

    @pages.post("/rooms/{site}/{room}/links/{link}/cut")
    def cut(
        request: Request,
        who: SignedIn,
        site: SiteName,
        room: RoomName,
        link: Number,
        confirm: Confirm = "",
    ) -> Any:
        if not confirm:
            links = sessions.links((site, room))
            return ask_about_link(renderer, request, links, link, f"/rooms/{site}/{room}")
        sessions.cut((site, room), link)
        audit_log.add(who.log_name, "link ended", f"{site}/{room} link {link}")
        return back_to(f"/rooms/{site}/{room}")

    @pages.post("/rooms/{site}/{room}/erase")
    def erase(
        request: Request, who: SignedIn, site: SiteName, room: RoomName, confirm: Confirm = ""
    ) -> Any:
        if not confirm.strip():
            back, place = f"/rooms/{site}/{room}", f"{site}/{room}"
            return ask(renderer, request, "room", place, back=back, word=room)
        if confirm.strip() != room:
            raise HTTPException(409)
        count = erase_room(erasures, site, room)
        rooms.forget(site, room, status=True)
        forget(site, room, True)
        audit_log.add(who.log_name, "room erased", f"{site}/{room}: {count} windows")
        return back_to("/")

    return pages
