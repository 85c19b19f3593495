"""Pages about the collector itself: first run, audit log, what is kept; and check-ins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from collector.access.guard import network, too_often
from collector.app_context import Desk
from collector.lessons.checkins import Answer
from collector.lessons.repository import Lesson
from collector.pages.render import language_of, words

CHECKINS_A_MINUTE = 120
"""From one address: a whole class sits behind one router."""

ANSWERED = "answered"
"""In the cookie of the pupil's browser: the lesson and round that it answered in."""


def router(desk: Desk, openapi: Any) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/first-run")
    def first_run(request: Request) -> Any:
        host, port = desk.broker
        context: dict[str, Any] = {
            "no_account": desk.accounts.is_empty(),
            "broker": desk.ingest.connected,
            "broker_host": host,
            "broker_port": port,
            "cards": desk.rooms.all(),
            "wrong": "",
        }
        return desk.renderer.page(request, "first_run.html", **context)

    @pages.get("/audit")
    def audit(
        request: Request, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
    ) -> Any:
        context: dict[str, Any] = {
            "wrong": list(desk.audit.wrong()),
            "count": len(desk.audit),
            "entries": desk.audit.newest(before=before),
        }
        return desk.renderer.page(request, "audit.html", **context)

    @pages.get("/keeping")
    def keeping(request: Request) -> Any:
        sites = [*sorted(desk.sites_kept.items()), ("", desk.kept(""))]
        return desk.renderer.page(request, "keeping.html", sites=sites)

    @pages.get("/api/docs")
    def docs(request: Request) -> Any:
        return desk.renderer.page(request, "docs.html", openapi=openapi())

    @pages.get("/check")
    def check(request: Request, code: str = "") -> Any:
        if code:
            _lesson(request, code)
            return RedirectResponse(f"/check/{code.strip().lower()}", 303)
        return _check(request)

    @pages.get("/check/{code}")
    def answers(request: Request, code: str) -> Any:
        lesson = _lesson(request, code)
        return _check(request, code=lesson.code, told=_answered(request, lesson, "again"))

    @pages.post("/check/{code}")
    def answer(request: Request, code: str, answer: Annotated[Answer, Form()]) -> Any:
        lesson = _lesson(request, code)
        told = _answered(request, lesson, "again")
        if told is None:
            number = desk.checkins.add(lesson, answer)
            request.session[ANSWERED] = f"{lesson.id}.{number}"
            told = words(language_of(request))["check"]["thanks"]
        return _check(request, code=lesson.code, told=told)

    def _answered(request: Request, lesson: Lesson, told: str) -> str | None:
        now = f"{lesson.id}.{desk.checkins.round_of(lesson)}"
        text = words(language_of(request))["check"][told]
        return str(text) if request.session.get(ANSWERED) == now else None

    def _lesson(request: Request, code: str) -> Lesson:
        if not desk.limits.hit(CHECKINS_A_MINUTE, "check", network(request)):
            raise too_often()
        lesson = desk.book.by_code(code[:8])
        if lesson is None:
            raise HTTPException(404, words(language_of(request))["check"]["wrong"])
        return lesson

    def _check(request: Request, code: str | None = None, told: str | None = None) -> Any:
        context: dict[str, Any] = {"code": code, "told": told, "wrong": None}
        return desk.renderer.page(request, "check.html", **context)

    return pages
