"""Signing in and out, by password or by link; the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from collector.access.audit import AuditLog
from collector.access.guard import COOKIE, address, network, too_often
from collector.access.limits import Limits
from collector.access.oidc import WHYS, Provider
from collector.access.sessions import Sessions
from collector.pages.flash import take
from collector.pages.redirects import back_to, local
from collector.pages.render import LANGUAGE_COOKIE, Renderer, language_of
from collector.pages.words import LANGUAGES, words

LINKS_FROM_ONE_NETWORK = 120

YEAR_S = 365 * 86_400


def sign_in_form(renderer: Renderer, provider: Provider | None) -> Callable[..., Any]:
    """Draws the form: the request, what was wrong, where to go on, the status."""

    def draw(request: Request, wrong: str | None, next: str, status: int = 200) -> Any:
        t = words(language_of(request))["sign_in"]
        provider_name = provider.name if provider else None
        message = t[wrong] if wrong else None
        context = {
            "wrong": message,
            "said": take(request, "provider") if wrong == "failed" else None,
            "next": local(next),
            "provider": provider_name,
        }
        return renderer.page(request, "sign_in.html", status, **context)

    return draw


def router(
    *,
    sessions: Sessions,
    audit_log: AuditLog,
    limits: Limits,
    renderer: Renderer,
    draw_form: Callable[..., Any],
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/sign-in")
    def form(request: Request, next: str = "/", wrong: str | None = None) -> Any:
        reason = wrong if wrong in WHYS else None
        return draw_form(request, reason, next)

    @pages.post("/sign-out")
    def sign_out(request: Request) -> Any:
        secret = request.session.pop(COOKIE, None)
        if secret:
            sessions.end(secret)
        request.session.clear()
        return back_to("/sign-in")

    @pages.get("/enter/{secret}")
    def enter(request: Request, secret: str) -> Any:
        """By a link, as a viewer of one room or report; or for the first run."""
        if not limits.hit(LINKS_FROM_ONE_NETWORK, "link", network(request)):
            raise too_often()
        visit = sessions.follow(secret)
        if visit is None:
            audit_log.count_denial("somebody", "link refused", f"from {address(request)}")
            message = words(language_of(request))["sign_in"]["expired"]
            return renderer.page(request, "error.html", 410, message=message)
        session, link = visit
        if old := request.session.get(COOKIE):
            sessions.end(old)
        request.session.clear()
        request.session[COOKIE] = session
        audit_log.add(f"link {link.id}", "sign-in", f"by a link that {link.made_by} made")
        if link.lesson is not None:
            return back_to(f"/lessons/{link.lesson}")
        return back_to(f"/rooms/{link.site}/{link.room}" if link.site else "/")

    @pages.post("/language")
    def language(language: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
        answer = back_to(back)
        if language in LANGUAGES:
            answer.set_cookie(
                LANGUAGE_COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax"
            )
        return answer

    return pages
