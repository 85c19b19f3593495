"""Pages about the collector itself: first run, audit log, what is kept; and check-ins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.guard import network, too_often
from collector.access.limits import Limits
from collector.access.secret import new_secret
from collector.config import Retention
from collector.ingest.ingest import Ingest
from collector.lessons.ballots import Ballots
from collector.lessons.checkins import Answer, CheckIns
from collector.lessons.repository import Lesson, LessonRepository
from collector.live.rooms import Rooms
from collector.pages.flash import leave, take
from collector.pages.redirects import back_to
from collector.pages.render import Renderer, language_of
from collector.pages.words import words

CHECKINS_A_MINUTE, WRONG_CODES_A_MINUTE = 1200, 60
"""From one address: a whole class sits behind one router."""

BALLOT = "ballot"
"""In the same cookie: a number drawn at random, with which it answers once in each round."""

ANSWER = "answered"
"""In the cookie of the pupil's browser: the lesson and round that it answered in."""


def _lesson_by_code(
    repository: LessonRepository, limits: Limits, request: Request, code: str
) -> Lesson | None:
    """A whole school comes from one address: only wrong codes are a guesser's."""
    if not limits.hit(CHECKINS_A_MINUTE, "check", network(request)):
        raise too_often()
    lesson = repository.by_code(code[:8])
    if lesson is None and not limits.hit(WRONG_CODES_A_MINUTE, "code", network(request)):
        raise too_often()
    return lesson


def router(
    *,
    rooms: Rooms,
    ingest: Ingest,
    accounts: Accounts,
    audit_log: AuditLog,
    limits: Limits,
    repository: LessonRepository,
    checkins: CheckIns,
    renderer: Renderer,
    retention_of: Callable[[str], Retention],
    site_retention: dict[str, Retention],
    backup_count: int | None,
    public_sites: list[str],
    broker_address: tuple[str, int],
    has_fleet: bool,
    openapi: Callable[[], dict[str, Any]],
) -> APIRouter:
    ballots = Ballots()
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/first-run")
    def first_run(request: Request) -> Any:
        host, port = broker_address
        context: dict[str, Any] = {
            "no_account": accounts.is_empty(),
            "broker": ingest.is_connected,
            "broker_host": host,
            "broker_port": port,
            "has_fleet": has_fleet,
            "cards": rooms.all(),
            "wrong": "",
        }
        return renderer.page(request, "first_run.html", **context)

    @pages.get("/audit")
    def audit(
        request: Request, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
    ) -> Any:
        context: dict[str, Any] = {
            "wrong": list(audit_log.wrong()),
            "count": len(audit_log),
            "entries": audit_log.newest(before=before),
        }
        return renderer.page(request, "audit.html", **context)

    @pages.get("/retention")
    def retention(request: Request) -> Any:
        sites = [*sorted(site_retention.items()), ("", retention_of(""))]
        context: dict[str, Any] = {"sites": sites, "public": public_sites, "backups": backup_count}
        return renderer.page(request, "retention.html", **context)

    @pages.get("/api/docs")
    def docs(request: Request) -> Any:
        return renderer.page(request, "docs.html", openapi=openapi())

    @pages.get("/check")
    def check(request: Request, code: str = "") -> Any:
        if not code:
            return _check(request)
        lesson = _lesson_by_code(repository, limits, request, code)
        if lesson is None:
            return _retry_page(request, code)
        return RedirectResponse(f"/check/{lesson.code}", 303)

    @pages.get("/check/{code}")
    def answers(request: Request, code: str) -> Any:
        lesson = _lesson_by_code(repository, limits, request, code)
        if lesson is None:
            return _retry_page(request, code)
        request.session.setdefault(BALLOT, new_secret())
        notice = take(request, "thanks") or _answer(request, lesson, "again")
        return _check(request, code=lesson.code, told=notice)

    @pages.post("/check/{code}")
    def answer(request: Request, code: str, answer: Annotated[Answer, Form()]) -> Any:
        lesson = _lesson(request, code)
        ballot = request.session.get(BALLOT)
        if ballot is not None and _answer(request, lesson, "again") is None:
            if ballots.use(lesson.id, checkins.round_of(lesson), str(ballot), answer):
                checkins.add(lesson, answer)
            request.session[ANSWER] = f"{lesson.id}.{checkins.round_of(lesson)}"
            leave(request, "thanks", words(language_of(request))["check"]["thanks"])
        return back_to(f"/check/{lesson.code}")

    @pages.post("/check/{code}/undo")
    def undo(request: Request, code: str) -> Any:
        """Takes this browser's answer back, while its round goes on."""
        lesson = _lesson(request, code)
        ballot, number = str(request.session.get(BALLOT)), checkins.round_of(lesson)
        answer = ballots.take_back(lesson.id, number, ballot)
        request.session.pop(ANSWER, None)
        if answer is not None:
            checkins.remove(lesson, answer)
        return back_to(f"/check/{lesson.code}")

    def _answer(request: Request, lesson: Lesson, phrase: str) -> str | None:
        now = f"{lesson.id}.{checkins.round_of(lesson)}"
        text = words(language_of(request))["check"][phrase]
        return str(text) if request.session.get(ANSWER) == now else None

    def _lesson(request: Request, code: str) -> Lesson:
        lesson = _lesson_by_code(repository, limits, request, code)
        if lesson is None:
            raise HTTPException(404, words(language_of(request))["check"]["wrong"])
        return lesson

    def _retry_page(request: Request, code: str) -> Any:
        """The same form, with what was typed, to be mended there."""
        wrong = words(language_of(request))["check"]["wrong"]
        return _check(request, 404, wrong=wrong, typed=code[:8])

    def _check(request: Request, status: int = 200, **more: Any) -> Any:
        context: dict[str, Any] = {"code": None, "told": None, "wrong": None, "typed": ""}
        return renderer.page(request, "check.html", status, **(context | more))

    return pages
