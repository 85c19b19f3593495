"""Expressions' colours are told apart in both modes, by people with any colour vision."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import pytest
from coloraide import Color

from collector.pages.colours import ALIASES, colours, paper
from collector.pages.room_summary import LAST, ORDER

LEAST = 15.0
"""CIEDE2000: far beyond what is just told apart, 1 to 2, since bars are thin."""
VISIONS = (None, "protan", "deutan", "tritan")


def as_seen_by(value: str, vision: str | None) -> Color:
    colour = Color(value)
    return colour if vision is None else colour.filter(vision, 1, method="machado")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_expressions_are_told_apart(mode: Literal["light", "dark"], vision: str | None) -> None:
    values = colours(mode)
    colour_of = {label: as_seen_by(values[label], vision) for label in (*ORDER, *LAST)}
    near = {
        f"{a} and {b}": round(colour_of[a].delta_e(colour_of[b], method="2000"), 1)
        for a, b in combinations(colour_of, 2)
    }
    closest = min(near, key=lambda pair: near[pair])
    assert near[closest] >= LEAST, f"{mode}, {vision}: {closest} are {near[closest]} apart"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_readable(mode: Literal["light", "dark"]) -> None:
    """WCAG 2.2: 4.5 to 1."""
    values = colours(mode)
    pairs = [(text, ground) for text in ("ink", "quiet", "link") for ground in ("paper", "card")]
    pairs += [(kind, f"{kind}-soft") for kind in ("good", "warm", "calm", "bad")]
    pairs += [("on-action", "action"), ("bad", "card")]
    for text, ground in pairs:
        contrast = Color(values[text]).contrast(values[ground], method="wcag21")
        assert contrast >= 4.5, f"{mode}: {text} on {ground}: {contrast:.1f}"


def test_paper_has_every_tone() -> None:
    assert paper("tone-happy") == colours("light")["happy"]
    assert all(paper(f"tone-{name}").startswith("#") for name in ALIASES)
