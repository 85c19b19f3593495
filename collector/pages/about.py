"""The page about a site that anybody may read, and the notice for each door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated, Any

from babel import dates
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from collector.access.guard import network, too_often
from collector.access.limits import Limits
from collector.pages.check_address import qr_code
from collector.pages.public_sites import PublicSite, PublicSites, language_in, text_in
from collector.pages.render import Renderer, language_of
from collector.pages.words import LANGUAGES

A_MINUTE = 120
"""From one address: a school sits behind one router."""

Language = Annotated[str, Query(alias="lang")]


def router(
    *, limits: Limits, renderer: Renderer, sites: PublicSites, own_url: Callable[[], str]
) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/about/{site}")
    def about_site(request: Request, site: str, lang: Language = "") -> Any:
        return draw(request, find(request, site), lang, f"/about/{site}")

    @pages.get("/about/{site}/{room}")
    def about_room(request: Request, site: str, room: str, lang: Language = "") -> Any:
        whole = find(request, site)
        return draw(request, whole.only(room) if whole else None, lang, f"/about/{site}/{room}")

    def find(request: Request, site: str) -> PublicSite | None:
        if not limits.hit(A_MINUTE, "about", network(request)):
            raise too_often()
        return sites.get(site)

    def draw(request: Request, site: PublicSite | None, lang: str, path: str) -> HTMLResponse:
        if site is None:
            raise HTTPException(404)
        language = lang if lang in LANGUAGES else language_of(request)
        url = f"{own_url()}{path}"
        context = {
            "s": site,
            "page": site.page,
            "door": site.rooms[0] if path.count("/") == 3 else None,
            "path": path,
            "url": url,
            "qr": qr_code(url),
            "say": partial(text_in, language=language),
            "tongue": partial(language_in, language=language),
            "on_day": partial(_day, locale=renderer.locale(language)),
        }
        headers = {"content-language": language}
        return HTMLResponse(renderer.text("about.html", language, context), headers=headers)

    return pages


def _day(day: date, locale: str) -> str:
    return dates.format_date(day, "long", locale=locale)
