"""The page for developers that shows the design's values and components."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.pages.render import Renderer
from collector.pages.room_summary import LAST, ORDER


def router(*, renderer: Renderer) -> APIRouter:
    pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @pages.get("/design")
    def design(request: Request) -> Any:
        return renderer.page(request, "design.html", labels=[*ORDER, *LAST, "faces"])

    return pages
