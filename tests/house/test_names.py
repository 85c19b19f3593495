"""Names stand for one thing each, and say what it is."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import ROOT
from tests.house.names import (
    MOST_PER_THOUSAND,
    classes_twice,
    is_bare_participle,
    locals_of,
    participles,
)


def test_no_class_name_stands_for_two_things() -> None:
    assert classes_twice(ROOT) == {}


def test_two_classes_of_one_name_are_noticed(tmp_path: Path) -> None:
    for package in ("edge", "collector"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "a.py").write_text("class Report:\n    ...\n")
    assert classes_twice(tmp_path) == {"Report": ["edge/a.py:1", "collector/a.py:1"]}


def test_a_bare_participle_is_noticed_wherever_a_function_binds_it(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "def f(told: int, *, kept: int = 0) -> int:\n"
        "    for _found, face in enumerate(range(told)):\n"
        "        made = face\n"
        "    def within(seen: int) -> int:\n"
        "        held_back = seen\n"
        "        return held_back\n"
        "    return within(made + kept)\n"
    )
    names = [local.name for local in locals_of(path) if is_bare_participle(local.name)]
    assert sorted(names) == ["_found", "kept", "made", "seen", "told"]


def test_values_are_called_by_nouns() -> None:
    bare, names = participles(ROOT)
    assert names > 10_000  # it did look
    per_thousand = 1000 * len(bare) / names
    assert per_thousand <= MOST_PER_THOUSAND, [
        f"{local.path.relative_to(ROOT)}:{local.line} {local.name}" for local in bare
    ]
