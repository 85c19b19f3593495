"""Small things that several routers need."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi.responses import RedirectResponse

from collector.app_context import Desk
from collector.lessons.repository import Lesson


def local(address: str) -> str:
    """An address of our own, whatever a form says: nobody is led elsewhere from here."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address if "\\" not in address and address.isprintable() else "/"


def back_to(address: str) -> RedirectResponse:
    """After a form: the page is asked for anew, so that reloading sends nothing twice."""
    return RedirectResponse(local(address), 303)


def changed(desk: Desk, lesson: Lesson) -> None:
    """The room's page shows the lesson: it is drawn again."""
    desk.painter.changed((lesson.site, lesson.room))
