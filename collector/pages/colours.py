"""The colours of static/tokens.css, for paper and for tests: a style sheet does not reach into a
figure when WeasyPrint draws it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

TOKENS = Path(__file__).parent.parent / "static" / "tokens.css"
VALUE = re.compile(r"--([a-z0-9_-]+):\s*(#[0-9a-f]{6})\s*;")
DARK = "@media (prefers-color-scheme: dark)"

ALIASES = {
    "own-0": "neutral",
    "own-1": "happy",
    "own-2": "surprise",
    "own-3": "fear",
    "own-4": "sad",
    "well": "neutral",
    "so_so": "happy",
    "lost": "angry",
}
"""Tones that have another's colour: a pack's own labels, and answers at check-ins."""


@cache
def colours(mode: Literal["light", "dark"]) -> dict[str, str]:
    """By name, without its dashes; what the dark part leaves out is the light one's."""
    light, _, dark = TOKENS.read_text(encoding="utf-8").partition(DARK)
    values = dict(VALUE.findall(light))
    return values | dict(VALUE.findall(dark)) if mode == "dark" else values


def paper(tone: str) -> str:
    """The colour of a style class such as `tone-happy`, in print."""
    name = tone.removeprefix("tone-")
    return colours("light")[ALIASES.get(name, name)]
