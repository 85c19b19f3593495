"""What the pages say, in four languages; by itself, since commands say it too and draw nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent.parent
LANGUAGES = ("en", "de", "es", "fr")

SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Where PyYAML has it, that in C: every start reads all four languages."""


@cache
def words(language: str) -> dict[str, Any]:
    """All texts in one of LANGUAGES; those for people without an account are in a file apart."""
    folder = HERE / "locales"
    content: dict[str, Any] = {}
    for name in (f"{language}.yaml", f"{language}.public.yaml"):
        text = (folder / name).read_text(encoding="utf-8")
        content |= yaml.load(text, SAFE)  # noqa: S506  # safe, whichever of the two
    return content
