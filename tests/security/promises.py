"""The sentences of docs/security.md, each with the tests that it names."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "security.md"
TEST = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")


class Promise(NamedTuple):
    """One bullet of the page."""

    sentence: str
    tests: tuple[tuple[str, str], ...]
    """(file, function)."""


def promises() -> list[Promise]:
    """In the page's order."""
    found: list[Promise] = []
    for block in re.split(r"\n(?=- |#|\n)", PAGE.read_text(encoding="utf-8")):
        if block.startswith("- "):
            text = " ".join(block[2:].split())
            tests = tuple((file, name) for file, name in TEST.findall(text))
            found.append(Promise(TEST.sub("", text).strip(), tests))
    return found


def exists(file: str, function: str) -> bool:
    path = ROOT / file
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")
