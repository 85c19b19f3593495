"""The project's documents, and the pieces of them that somebody may type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documents() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "models" / "README.md"]
    return sorted(pages)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fences(page: Path, language: str) -> list[str]:
    """The text of each fenced block in that language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def inline(page: Path) -> list[str]:
    """Each piece of inline code; a table's `\\|` is a plain bar again."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [piece.replace("\\|", "|") for piece in re.findall(r"(?s)(?<!`)`([^`]+)`(?!`)", text)]
