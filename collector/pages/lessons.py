"""Lessons and their reports, as pages and as files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Engine

from collector.access.audit import AuditLog
from collector.access.guard import SignedIn, ThisLesson, own_lessons, owns
from collector.access.sessions import Principal
from collector.config import Retention
from collector.lessons.report import LessonReport, Reports, as_csv, as_parquet
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.rooms import Rooms
from collector.pages import timeline
from collector.pages.pdf import as_pdf
from collector.pages.redirects import back_to, local
from collector.pages.render import Renderer, language_of, words
from collector.pages.report_drawing import figures
from collector.retention import erase_span

CSV = "text/csv; charset=utf-8"
PARQUET = "application/vnd.apache.parquet"


def router(
    *,
    engine: Engine,
    rooms: Rooms,
    audit_log: AuditLog,
    book: LessonRepository,
    reports: Reports,
    renderer: Renderer,
    painter: PanelBroadcaster,
    retention_of: Callable[[str], Retention],
    notify: Callable[[str, Lesson], None],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def _report(who: Principal, lesson: Lesson) -> LessonReport:
        return reports.of(lesson, lambda other: owns(who, other))

    @pages.get("/lessons")
    def lessons(request: Request, who: SignedIn) -> Any:
        return renderer.page(request, "lessons.html", lessons=own_lessons(book, who))

    @pages.get("/lessons/{lesson}")
    def report(request: Request, who: SignedIn, lesson: int, found: ThisLesson) -> Any:
        audit_log.viewed(who.said, "report viewed", _about(found))
        context = _context(who, found, language_of(request))
        return renderer.page(request, "report.html", told=None, **context)

    def _context(who: Principal, lesson: Lesson, language: str) -> dict[str, Any]:
        made = _report(who, lesson)
        drawn = figures(made)
        labels = words(language)["labels"]
        return {
            "r": made,
            "f": drawn,
            "means": [(s.label, made.summary.counts[s.label]) for s in drawn.pie],
            "attentive_words": ", ".join(labels.get(n, n) for n in made.attentive_labels),
            "width": timeline.WIDTH,
            "height": timeline.HEIGHT,
            "kept": retention_of(lesson.site),
            "now": time.time(),
        }

    @pages.get("/lessons/{lesson}/report.pdf")
    def pdf(request: Request, who: SignedIn, lesson: int, found: ThisLesson) -> Response:
        language = language_of(request)
        html = renderer.text("report_pdf.html", language, _context(who, found, language))
        return _file(who, found, as_pdf(html), "pdf", "application/pdf")

    @pages.get("/lessons/{lesson}/report.csv")
    def csv(who: SignedIn, lesson: int, found: ThisLesson) -> Response:
        return _file(who, found, as_csv(_report(who, found)).encode(), "csv", CSV)

    @pages.get("/lessons/{lesson}/report.parquet")
    def parquet(who: SignedIn, lesson: int, found: ThisLesson) -> Response:
        return _file(who, found, as_parquet(_report(who, found)), "parquet", PARQUET)

    def _file(who: Principal, lesson: Lesson, content: bytes, kind: str, media: str) -> Response:
        audit_log.add(who.said, "report exported", f"{_about(lesson)} as {kind}")
        name = f"{lesson.room}-{time.strftime('%Y-%m-%d-%H%M', time.gmtime(lesson.start))}.{kind}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media, headers=headers)

    @pages.post("/lessons/{lesson}")
    def describe(
        who: SignedIn,
        lesson: int,
        found: ThisLesson,
        title: Annotated[str, Form(max_length=120)],
        notes: Annotated[str, Form(max_length=5000)] = "",
    ) -> Any:
        book.describe(found, title, notes)
        painter.changed((found.site, found.room))
        audit_log.add(who.said, "lesson described", _about(found))
        return back_to(f"/lessons/{found.id}")

    @pages.post("/lessons/{lesson}/markers")
    def mark(
        lesson: int,
        found: ThisLesson,
        text: Annotated[str, Form(max_length=120)],
        back: Annotated[str, Form()] = "",
    ) -> Any:
        if found.end is not None:
            raise HTTPException(409)
        book.mark(found, text)
        painter.changed((found.site, found.room))
        return back_to(local(back) if back else f"/lessons/{found.id}")

    @pages.post("/lessons/{lesson}/end")
    def end(lesson: int, found: ThisLesson) -> Any:
        if found.end is None:
            book.end(found)
            notify("lesson_ended", book.lesson(found.id))
            painter.changed((found.site, found.room))
        return back_to(f"/lessons/{found.id}")

    @pages.post("/lessons/{lesson}/erase")
    def erase(who: SignedIn, lesson: int, found: ThisLesson) -> Any:
        gone = erase_span(engine, found.site, found.room, found.start, found.until)
        book.erase(found)
        rooms.forget(found.site, found.room, found.start, found.until)
        painter.changed((found.site, found.room))
        audit_log.add(who.said, "lesson erased", f"{_about(found)}: {gone} windows")
        return back_to("/lessons")

    return pages


def _about(lesson: Lesson) -> str:
    return f"lesson {lesson.id} in {lesson.site}/{lesson.room}"
