"""Lessons and their reports, as pages and as files."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from collector.access.audit import AuditLog
from collector.access.bounded_queue import QueueFull
from collector.access.guard import SignedIn, ThisLesson, own_lessons, owns
from collector.access.sessions import Principal, Sessions
from collector.config import Retention
from collector.lessons.report import LessonReport, Reports, as_csv, as_parquet, figures_csv
from collector.lessons.repository import Lesson, LessonFilter, LessonRepository
from collector.pages import timeline
from collector.pages.flash import take
from collector.pages.lesson_list import lesson_list
from collector.pages.pdf import PdfQueue
from collector.pages.render import Renderer, language_of
from collector.pages.report_drawing import drawing, multiples
from collector.pages.words import words
from edge.common.errors import UserError

CSV = "text/csv; charset=utf-8"
PARQUET = "application/vnd.apache.parquet"

PAPER_AGAIN_S = 10
"""Whoever finds the queue for paper full is told to come again after so long."""


def router(
    *,
    audit_log: AuditLog,
    repository: LessonRepository,
    reports: Reports,
    renderer: Renderer,
    retention_of: Callable[[str], Retention],
    sessions: Sessions,
    papers: PdfQueue,
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def _report(who: Principal, lesson: Lesson) -> LessonReport:
        return reports.of(lesson, lambda other: owns(who, other))

    @pages.get("/lessons")
    def lessons(
        request: Request,
        who: SignedIn,
        week: Annotated[str, Query(max_length=10)] = "",
        text: Annotated[str, Query(max_length=120)] = "",
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> Any:
        """A week as a grid, or what a search finds, page by page."""

        def find(only: LessonFilter, limit: int) -> list[Lesson]:
            return own_lessons(repository, who, limit, only)

        context = lesson_list(find, renderer, language_of(request), week, text.strip(), page)
        return renderer.page(request, "lessons.html", **context)

    @pages.get("/compare")
    def compare(
        request: Request,
        who: SignedIn,
        lesson: Annotated[list[int] | None, Query(max_length=60)] = None,
        like: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> Any:
        """Lessons that were chosen, or one with the earlier ones of its class."""
        selection = _own(who, [*(lesson or []), *([like] if like else [])])
        if like and selection:
            selection += [one for one in repository.earlier(selection[-1], 60) if owns(who, one)]
        selection = list({one.id: one for one in selection}.values())
        comparisons = [reports.comparison(one) for one in selection]
        context: dict[str, Any] = {
            "lessons": sorted(selection, key=lambda one: one.start),
            "multiples": multiples(comparisons, like),
        }
        return renderer.page(request, "compare.html", **context)

    def _own(who: Principal, numbers: list[int]) -> list[Lesson]:
        """Those of some lessons that there are and that are theirs."""
        candidates = []
        for number in numbers:
            with suppress(UserError):
                candidates.append(repository.lesson(min(max(number, 0), 2**31 - 1)))
        return [one for one in candidates if owns(who, one)]

    @pages.get("/lessons/{lesson}")
    def report(request: Request, who: SignedIn, lesson: int, record: ThisLesson) -> Any:
        audit_log.add_view(who.log_name, "report viewed", about(record))
        context = _context(who, record, language_of(request))
        context["links"] = sessions.links((record.site, record.room), record.id)
        context["new_link"] = take(request, "link")
        page = renderer.page(request, "report.html", **context)
        page.background = BackgroundTask(
            papers.prepare
        )  # who reads a report may want it on paper next
        return page

    def _context(who: Principal, lesson: Lesson, language: str) -> dict[str, Any]:
        lesson_report = _report(who, lesson)
        if who.role == "viewer":
            lesson_report = lesson_report.model_copy(
                update={"notes": ""}
            )  # they are the teacher's own
        labels = words(language)["labels"]
        markers = [
            {"id": m.id, "text": m.text, "clock": renderer.local(m.at).strftime("%H:%M")}
            for m in repository.markers(lesson)
        ]
        return {
            "r": lesson_report,
            "f": drawing(lesson_report, words(language), renderer.clock(language)),
            "marked": markers,
            "start_clock": renderer.local(lesson.start).strftime("%H:%M"),
            "attentive_words": ", ".join(labels.get(n, n) for n in lesson_report.attentive_labels),
            "width": timeline.WIDTH,
            "height": timeline.HEIGHT,
            "kept": retention_of(lesson.site),
            "now": time.time(),
            "paper": False,
        }

    @pages.get("/lessons/{lesson}/report.pdf")
    async def pdf(request: Request, who: SignedIn, lesson: int, record: ThisLesson) -> Response:
        language = language_of(request)
        try:
            content = await papers.set(
                who.key, lesson, language, lambda: _paper(who, record, language)
            )
        except QueueFull:
            raise HTTPException(503, "paper", {"retry-after": str(PAPER_AGAIN_S)}) from None
        return await run_in_threadpool(_file, who, record, content, "pdf", "application/pdf")

    def _paper(who: Principal, lesson: Lesson, language: str) -> str:
        context = _context(who, lesson, language) | {"paper": True}
        return renderer.text("report_pdf.html", language, context)

    @pages.get("/lessons/{lesson}/report.csv")
    def csv(who: SignedIn, lesson: int, record: ThisLesson) -> Response:
        return _file(who, record, as_csv(_report(who, record)).encode(), "csv", CSV)

    @pages.get("/lessons/{lesson}/figures.csv")
    def figures(who: SignedIn, lesson: int, record: ThisLesson) -> Response:
        return _file(who, record, figures_csv(_report(who, record)).encode(), "figures.csv", CSV)

    @pages.get("/lessons/{lesson}/report.parquet")
    def parquet(who: SignedIn, lesson: int, record: ThisLesson) -> Response:
        return _file(who, record, as_parquet(_report(who, record)), "parquet", PARQUET)

    def _file(who: Principal, lesson: Lesson, content: bytes, kind: str, media: str) -> Response:
        audit_log.add(who.log_name, "report exported", f"{about(lesson)} as {kind}")
        start = renderer.local(lesson.start)
        name = f"{lesson.room}-{start:%Y-%m-%d-%H%M}.{kind}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media, headers=headers)

    return pages


def about(lesson: Lesson) -> str:
    return f"lesson {lesson.id} in {lesson.site}/{lesson.room}"
