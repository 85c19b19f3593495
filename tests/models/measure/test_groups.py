from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.common.errors import UserError
from models.data.faces import Faces
from models.measure.evaluate import Scores
from models.measure.groups import Groups, by_group
from models.measure.intervals import bootstrap, differ


def faces(count: int) -> Faces:
    return Faces(
        np.zeros((count, 48, 48), np.uint8),
        np.full(count, 3),
        names=[f"{at}.jpg" for at in range(count)],
    )


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_interval_covers_what_it_should() -> None:
    right = np.array([True] * 80 + [False] * 20)
    low, high = bootstrap(lambda rows: float(right[rows].mean()), np.arange(100))
    assert 0.70 < low < 0.74
    assert 0.86 < high < 0.90


def test_pictures_of_one_person_are_not_independent() -> None:
    right = np.repeat([True, False], 50)
    alone = bootstrap(lambda rows: float(right[rows].mean()), np.arange(100))
    people = bootstrap(lambda rows: float(right[rows].mean()), np.repeat(np.arange(10), 10))
    assert people[1] - people[0] > 2 * (alone[1] - alone[0])


def test_a_difference_is_told_from_chance() -> None:
    rng = np.random.default_rng(1)
    group = np.array(["a", "b"] * 100)
    same = rng.random(200) < 0.8
    apart = rng.random(200) < np.where(group == "a", 0.95, 0.6)
    assert differ(same, group, np.arange(200)) > 0.05
    assert differ(apart, group, np.arange(200)) < 0.01


def test_chance_alone_is_significant_as_seldom_as_it_should_be() -> None:
    rng = np.random.default_rng(2)
    group = np.array(["a", "b", "c"] * 20)
    verdicts = [differ(rng.random(60) < 0.7, group, np.arange(60), draws=200) for _ in range(100)]
    assert sum(p < 0.05 for p in verdicts) <= 12


def test_each_group_gets_its_figures(tmp_path: Path) -> None:
    lines = [f"{at}.jpg,{'old' if at % 2 else 'young'},p{at // 2}" for at in range(40)]
    groups = Groups(table(tmp_path / "g.csv", "file,age,person", *lines), faces(40))
    answers = np.zeros((40, 7), np.float32)
    answers[np.arange(40), np.where(np.arange(40) % 2, 3, 4)] = 1
    figures = by_group(Scores(np.full(40, 3), answers), groups, np.ones(40, bool))
    assert figures["age"]["groups"]["old"]["accuracy"] == 1
    assert figures["age"]["groups"]["young"]["accuracy"] == 0
    assert figures["age"]["groups"]["young"]["n"] == 20
    assert "person" not in figures


def test_many_numbers_become_three_bands(tmp_path: Path) -> None:
    lines = [f"{at}.jpg,{at if at else ''}" for at in range(31)]
    groups = Groups(table(tmp_path / "g.csv", "file,age", *lines), faces(31))
    names, sizes = np.unique(groups.columns["age"], return_counts=True)
    assert dict(zip(names.tolist(), sizes.tolist(), strict=True))["not known"] == 1
    assert sorted(sizes.tolist()) == [1, 10, 10, 10]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["name,age", "0.jpg,3"], "neither a column 'file' nor"),
        (["file,age", "9.jpg,3"], "has no 0.jpg \\(2 faces"),
        (["file", "0.jpg", "1.jpg"], "no column that groups"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words) as refusal:
        Groups(table(tmp_path / "g.csv", *lines), faces(2))
    assert "g.csv" in str(refusal.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.csv: cannot be read"):
        Groups(tmp_path / "gone.csv", faces(1))
