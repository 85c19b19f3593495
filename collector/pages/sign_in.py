"""Signing in and out, by password or by link; the language."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from collector.access.guard import COOKIE, address, network, too_often
from collector.app_context import Desk
from collector.pages import password_sign_in
from collector.pages.redirects import back_to, local
from collector.pages.render import LANGUAGE_COOKIE, LANGUAGES, language_of, words

LINKS_FROM_ONE_NETWORK = 120

YEAR_S = 365 * 86_400


def router(desk: Desk) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def _sign_in_page(request: Request, wrong: str | None, next: str, status: int = 200) -> Any:
        t = words(language_of(request))["sign_in"]
        provider = desk.provider.name if desk.provider else None
        told = t[wrong] if wrong else None
        context = {"wrong": told, "next": local(next), "provider": provider}
        return desk.renderer.page(request, "sign_in.html", status, **context)

    pages.include_router(password_sign_in.router(desk, _sign_in_page))

    @pages.get("/sign-in")
    def form(request: Request, next: str = "/", wrong: str | None = None) -> Any:
        known = wrong if wrong in ("no_group", "failed") else None
        return _sign_in_page(request, known, next)

    @pages.post("/sign-out")
    def sign_out(request: Request) -> Any:
        secret = request.session.pop(COOKIE, None)
        if secret:
            desk.sessions.end(secret)
        request.session.clear()
        return back_to("/sign-in")

    @pages.get("/enter/{secret}")
    def enter(request: Request, secret: str) -> Any:
        """By a link, as a viewer of one room; or for the first run."""
        if not desk.limits.hit(LINKS_FROM_ONE_NETWORK, "link", network(request)):
            raise too_often()
        followed = desk.sessions.follow(secret)
        if followed is None:
            desk.audit.add("somebody", "link refused", f"from {address(request)}")
            told = words(language_of(request))["sign_in"]["expired"]
            return desk.renderer.page(request, "error.html", 410, message=told)
        session, link = followed
        request.session.clear()
        request.session[COOKIE] = session
        desk.audit.add(f"link {link.id}", "sign-in", f"by a link that {link.made_by} made")
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
