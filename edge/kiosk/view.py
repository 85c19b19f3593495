"""What the kiosk shows: what was published of the room, and nothing finer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from edge.common.errors import UserError
from edge.protocol.messages import OTHER, UNCERTAIN, ModeName, Mood, Pause

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "es", "fr")


class KioskView(NamedTuple):
    """The state of the agent: whether the camera is open this moment, what keeps it closed, and
    the newest window as it was published."""

    open: bool
    pause: Pause | None
    mode: ModeName
    mood: Mood | None
    responsible: str | None


@cache
def strings(language: str) -> dict[str, Any]:
    """The kiosk's words in one of LANGUAGES."""
    content = yaml.safe_load((HERE / "strings.yaml").read_text(encoding="utf-8"))
    words: dict[str, Any] = content[language]
    return words


@cache
def templates(folder: Path) -> Any:
    """A folder's templates; raises UserError where Jinja is not installed."""
    try:
        import jinja2  # noqa: PLC0415  # of an extra
    except ModuleNotFoundError:
        raise UserError(
            "jinja2 is missing", "device pages", "pip install 'roommood[kiosk]'"
        ) from None
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def cells(mood: Mood, words: dict[str, Any]) -> list[tuple[str, str, int]]:
    """(label, its word, count) of the published cells that are not empty, the largest first.

    What nobody can name stands last.
    """
    last = (UNCERTAIN, OTHER)
    names = {**words["labels"], **{name: words[name] for name in last}}
    rows = [(name, names.get(name, name), n) for name, n in (mood.counts or {}).items() if n]
    return sorted(rows, key=lambda cell: (cell[0] in last, -cell[2]))


def sentence(view: KioskView, words: dict[str, Any]) -> str:
    """What there is to say beside the numbers, or in their place."""
    if view.pause is not None:
        return str(words["paused"][view.pause])
    reason = view.mood.withheld if view.mood else None
    if view.mood is None or reason == "paused":
        return str(words["nothing_yet"])
    if reason == "headcount_only":
        return str(words["heads_only"])
    return str(words[reason] if reason else words["face_kinds"])


def render(template: str, view: KioskView, language: str, **more: Any) -> bytes:
    """One of the kiosk's pages, UTF-8."""
    words = strings(language)
    mood = view.mood if view.pause is None and view.mood and view.mood.faces is not None else None
    context = {
        "view": view,
        "words": words,
        "language": language,
        "languages": [(code, strings(code)["language"]) for code in LANGUAGES],
        "sentence": sentence(view, words),
        "faces": mood.faces if mood else None,
        "cells": cells(mood, words) if mood else [],
        **more,
    }
    page: str = templates(HERE).get_template(template).render(context)
    return page.encode()
