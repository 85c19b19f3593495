"""What is changed in a lesson: title and notes, markers, its end, erasing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from collector.access.audit import AuditLog
from collector.access.guard import SignedIn, ThisLesson
from collector.access.sessions import Sessions
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.rooms import Rooms
from collector.pages.flash import leave
from collector.pages.lessons import about
from collector.pages.question import Confirm, ask, ask_about_link
from collector.pages.redirects import back_to, local
from collector.pages.render import Renderer
from collector.retention.erasing import erase_lesson
from collector.storage.erasures import Erasures

HALF_DAY_S = 43_200.0
DAY_S = 86_400
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router(
    *,
    erasures: Erasures,
    forget: Callable[[str, str, bool], None],
    rooms: Rooms,
    audit_log: AuditLog,
    repository: LessonRepository,
    renderer: Renderer,
    broadcaster: PanelBroadcaster,
    notify: Callable[[str, Lesson], None],
    sessions: Sessions,
    own_url: Callable[[], str],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.post("/lessons/{lesson}")
    def describe(
        who: SignedIn,
        lesson: int,
        record: ThisLesson,
        title: Annotated[str, Form(max_length=120)],
        notes: Annotated[str, Form(max_length=5000)] = "",
    ) -> Any:
        repository.describe(record, title, notes)
        broadcaster.refresh((record.site, record.room))
        audit_log.add(who.log_name, "lesson described", about(record))
        return back_to(f"/lessons/{record.id}")

    @pages.post("/lessons/{lesson}/markers")
    def mark(
        lesson: int,
        record: ThisLesson,
        text: Annotated[str, Form(max_length=120)],
        back: Annotated[str, Form()] = "",
        at: Annotated[str, Form(max_length=5)] = "",
    ) -> Any:
        """Now, while the lesson goes on; with a time of day, then, also afterwards."""
        if record.end is not None and not at:
            raise HTTPException(409)
        repository.mark(record, text, moment_of(renderer, record, at) if at else None)
        broadcaster.refresh((record.site, record.room))
        return back_to(local(back) if back else f"/lessons/{record.id}")

    @pages.post("/lessons/{lesson}/markers/{marker}")
    def change_marker(
        request: Request,
        lesson: int,
        record: ThisLesson,
        marker: Number,
        at: Annotated[str, Form(max_length=5)],
        text: Annotated[str, Form(max_length=120)] = "",
        remove: Annotated[str, Form(max_length=3)] = "",
        confirm: Confirm = "",
    ) -> Any:
        if (remove or not text.strip()) and not confirm:
            texts = {one.id: one.text for one in repository.markers(record)}
            if marker not in texts:
                raise HTTPException(404)
            fields, back = {"at": at, "remove": "yes"}, f"/lessons/{record.id}"
            return ask(renderer, request, "marker", texts[marker], back=back, fields=fields)
        repository.change_marker(
            record, marker, "" if remove else text, moment_of(renderer, record, at)
        )
        broadcaster.refresh((record.site, record.room))
        return back_to(f"/lessons/{record.id}")

    @pages.post("/lessons/{lesson}/links")
    def link(
        request: Request,
        who: SignedIn,
        lesson: int,
        record: ThisLesson,
        days: Annotated[int, Form(ge=1, le=30)],
    ) -> Any:
        room = (record.site, record.room)
        secret = sessions.make_link(
            who.name, days * DAY_S, room, account=who.account, lesson=record.id
        )
        audit_log.add(who.log_name, "link made", f"{about(record)} for {days} days")
        leave(request, "link", f"{own_url()}/enter/{secret}")
        return back_to(f"/lessons/{record.id}")

    @pages.post("/lessons/{lesson}/links/{link}/cut")
    def cut(
        request: Request,
        who: SignedIn,
        lesson: int,
        record: ThisLesson,
        link: Number,
        confirm: Confirm = "",
    ) -> Any:
        if not confirm:
            links = sessions.links((record.site, record.room), record.id)
            return ask_about_link(renderer, request, links, link, f"/lessons/{record.id}")
        sessions.cut((record.site, record.room), link, record.id)
        audit_log.add(who.log_name, "link ended", f"{about(record)} link {link}")
        return back_to(f"/lessons/{record.id}")

    @pages.post("/lessons/{lesson}/end")
    def end(request: Request, lesson: int, record: ThisLesson, confirm: Confirm = "") -> Any:
        if not confirm:
            back = f"/rooms/{record.site}/{record.room}"
            return ask(renderer, request, "end", record.title, back=back)
        if record.end is None:
            repository.end(record)
            notify("lesson_ended", repository.lesson(record.id))
            broadcaster.refresh((record.site, record.room))
        return back_to(f"/lessons/{record.id}")

    @pages.post("/lessons/{lesson}/erase")
    def erase(
        request: Request, who: SignedIn, lesson: int, record: ThisLesson, confirm: Confirm = ""
    ) -> Any:
        if not confirm:
            back = f"/lessons/{record.id}"
            return ask(renderer, request, "lesson", record.title, back=back)
        until = record.until
        count = erase_lesson(erasures, record._replace(end=until))
        rooms.forget(record.site, record.room, record.start, until)
        forget(record.site, record.room, False)
        audit_log.add(who.log_name, "lesson erased", f"{about(record)}: {count} windows")
        return back_to("/lessons")

    return pages


def moment_of(renderer: Renderer, lesson: Lesson, clock: str) -> float:
    """A time of day, on the lesson's own day; raises HTTPException 422."""
    try:
        hour, minute = (int(part) for part in clock.split(":"))
        start = renderer.local(lesson.start)
        at = start.replace(hour=hour, minute=minute, second=0, microsecond=0)
    except ValueError:
        raise HTTPException(422) from None
    after_midnight = at.timestamp() < lesson.start - HALF_DAY_S
    return at.timestamp() + (2 * HALF_DAY_S if after_midnight else 0.0)
