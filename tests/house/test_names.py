"""Names stand for one thing each, and say what it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.names import (
    MOST_PER_THOUSAND,
    Definition,
    all_definitions,
    classes_twice,
    definitions,
    has_old_word,
    is_bare_participle,
    participles,
)


@pytest.fixture(scope="module")
def names() -> list[Definition]:
    return all_definitions(ROOT)


def test_no_class_name_stands_for_two_things() -> None:
    assert classes_twice(ROOT) == {}


def test_two_classes_of_one_name_are_noticed(tmp_path: Path) -> None:
    for package in ("edge", "collector"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "a.py").write_text("class Report:\n    ...\n")
    assert classes_twice(tmp_path) == {"Report": ["edge/a.py:1", "collector/a.py:1"]}


EVERY_KIND = """
FORGED = 1
class Told:
    withheld: int  # a field of messages
    confirmed: int
    def stored(self, told: int, *, kept: int = 0, **renamed: int) -> None:
        self.opened, self.is_open, self._was_stored = told, True, True
    def is_closed(self): ...
    def connection_lost(self): ...
def announced():
    for _found, face in enumerate(range(9)):
        made = face
    def recorded(seen):
        held_back = seen
        copy_kept = held_back
        try: ...
        except OSError as unforeseen_failed: ...
    class Inner:
        moved = 1
        def sent(): ...
def test_that_nothing_is_lost(): ...
def on_renewed(seed, speed): ...
"""


def test_a_bare_participle_is_noticed_whatever_it_names(tmp_path: Path) -> None:
    path = tmp_path / "published.py"
    path.write_text(EVERY_KIND)
    bare = participles(list(definitions(path)))
    assert {kind: sorted(one.name for one in group) for kind, group in bare.items()} == {
        "attribute": ["opened"],
        "class": ["Told"],
        "constant": ["FORGED"],
        "field": ["confirmed", "moved"],
        "function": ["announced", "recorded"],
        "local": sorted(
            ["_found", "copy_kept", "kept", "made", "renamed", "seen", "told", "unforeseen_failed"]
        ),
        "method": ["sent", "stored"],
        "module": ["published"],
    }


@pytest.mark.parametrize("name", ["recorded", "_stored", "ANNOUNCED", "copy_kept", "TimesOpened"])
def test_a_participle_that_says_what_it_is_of_is_none(name: str) -> None:
    assert is_bare_participle(name)
    assert not is_bare_participle(f"{name}_times")
    assert not is_bare_participle(f"is_{name.strip('_')}")


def test_values_are_nouns_and_functions_verbs(names: list[Definition]) -> None:
    counts, bare = Counter(one.kind for one in names), participles(names)
    assert counts["local"] > 10_000  # it did look
    assert min(counts.values()) > 500
    for kind, group in bare.items():
        assert 1000 * len(group) / counts[kind] <= MOST_PER_THOUSAND, [
            f"{one.path.relative_to(ROOT)}:{one.line} {one.kind} {one.name}" for one in group
        ]


def test_words_that_the_glossary_replaced_are_in_no_name(names: list[Definition]) -> None:
    assert [
        f"{one.path.relative_to(ROOT)}:{one.line} {one.name}"
        for one in names
        if has_old_word(ROOT, one)
    ] == []


@pytest.mark.parametrize(
    "code",
    [
        *("def f(book): ...", "lesson_book = 1", "class Errand: ...", "class C:\n  office: int"),
        *("def f():\n  self._painter = 1", "def keeping(): ...", "def _tell(): ...", "OFFERS = 1"),
    ],
)
def test_an_old_word_is_noticed(tmp_path: Path, code: str) -> None:
    path = tmp_path / "a.py"
    path.write_text(code)
    assert any(has_old_word(tmp_path, one) for one in definitions(path))
    path.write_text("def test_the_office_tells(bookmark, deskew): ...")
    assert not any(has_old_word(tmp_path, one) for one in definitions(path))
