"""What a page says once, after the form that led to it: a reload says it no more, and sends nothing
again. It travels in the browser's own signed cookie."""

from __future__ import annotations

from fastapi import Request

KEY = "flash"


def leave(request: Request, name: str, text: str) -> None:
    """For the next page of this browser."""
    request.session[KEY] = {name: text}


def take(request: Request, name: str) -> str | None:
    """What was left under a name, once."""
    left = request.session.get(KEY)
    if not isinstance(left, dict) or name not in left:
        return None
    request.session.pop(KEY)
    return str(left[name])
