"""The sentences of docs/security.md and docs/privacy.md, each with the tests that prove it.

The page for IT names its tests; that for parents is kept free of them, and parents.yaml has them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "security.md"
PARENTS = ROOT / "docs" / "privacy.md"
PROOFS = Path(__file__).with_name("parents.yaml")
TEST = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")


class Promise(NamedTuple):
    """One bullet of a page."""

    sentence: str
    tests: tuple[tuple[str, str], ...]
    """(file, function)."""


def promises() -> list[Promise]:
    """In the pages' order."""
    own = [
        Promise(
            TEST.sub("", text).strip(), tuple((file, name) for file, name in TEST.findall(text))
        )
        for text in _bullets(PAGE)
    ]
    proofs = proofs_for_parents()
    for text in _bullets(PARENTS):
        tests = next((tests for begin, tests in proofs.items() if text.startswith(begin)), ())
        own.append(Promise(text, tests))
    return own


def proofs_for_parents() -> dict[str, tuple[tuple[str, str], ...]]:
    """By how a sentence begins."""
    return {
        begin: tuple((test.partition("::")[0], test.partition("::")[2]) for test in tests)
        for begin, tests in yaml.safe_load(PROOFS.read_text(encoding="utf-8")).items()
    }


def _bullets(page: Path) -> list[str]:
    blocks = re.split(r"\n(?=- |#|\n)", page.read_text(encoding="utf-8"))
    return [" ".join(block[2:].split()) for block in blocks if block.startswith("- ")]


def loose_sentences() -> list[str]:
    """What the parents' page says outside of its bullets, headings and the line about the page."""
    blocks = re.split(r"\n\n|\n(?=- |#)", PARENTS.read_text(encoding="utf-8"))
    beginnings = ("- ", "#", "*One page")
    return [block for block in blocks if block.strip() and not block.strip().startswith(beginnings)]


def exists(file: str, function: str) -> bool:
    path = ROOT / file
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")
