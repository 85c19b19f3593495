"""Small things that several routers need."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi.responses import RedirectResponse


def local(address: str) -> str:
    """An address of our own, whatever a form says: nobody is led elsewhere from here."""
    try:
        parts = urlsplit(address)
    except ValueError:  # `http://[` is none at all
        return "/"
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address if "\\" not in address and address.isprintable() else "/"


def back_to(address: str) -> RedirectResponse:
    """After a form: the page is asked for anew, so that reloading sends nothing twice."""
    return RedirectResponse(local(address), 303)
