from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.vision.forms import FORMS
from models.cli import model
from models.data.faces import LABELS, Faces
from models.measure.evaluate import FOLD_FIGURES, Scores, choose, report

pytestmark = [pytest.mark.long, pytest.mark.once]


def shares(
    answers: list[int], confidence: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rest = (1 - confidence) / (len(LABELS) - 1)
    matrix = np.full((len(answers), len(LABELS)), rest, np.float32)
    matrix[np.arange(len(answers)), answers] = confidence
    return matrix


def test_confusion_has_the_truth_in_rows() -> None:
    scores = Scores(np.array([0, 0, 3]), shares([0, 3, 3], 0.9))
    confusion = scores.confusion()
    assert confusion[0, 0] == confusion[0, 3] == confusion[3, 3] == 1
    assert confusion.sum() == 3
    assert scores.accuracy() == pytest.approx(2 / 3)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    truth = np.array([0] * 8 + [1] * 2)
    assert Scores(truth, shares([0] * 10, 0.8)).ece() == pytest.approx(0, abs=1e-6)
    assert Scores(truth, shares([0] * 10, 0.95)).ece() == pytest.approx(0.15, abs=1e-6)


def test_an_overconfident_model_gets_a_higher_temperature() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 7, 2000)
    answers = np.where(rng.random(2000) < 0.7, truth, (truth + 1) % 7)
    hot, _ = choose(Scores(truth, shares(answers.tolist(), 0.99)))
    cool, _ = choose(Scores(truth, shares(answers.tolist(), 0.4)))
    assert hot > 1 > cool


def test_the_threshold_leaves_few_unanswered() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 7, 3000)
    sure = rng.random(3000)
    answers = np.where(rng.random(3000) < sure, truth, (truth + 1) % 7)
    matrix = np.stack(
        [shares([int(a)], 0.2 + 0.79 * s)[0] for a, s in zip(answers, sure, strict=True)]
    )
    _, threshold = choose(Scores(truth, matrix))
    assert 0.2 <= threshold < 1


def test_the_two_truths_are_reported_apart() -> None:
    votes = np.zeros((4, 7), np.float32)
    votes[:3, 6] = 8
    votes[3, 6] = 2  # too few votes: no FER+ truth
    faces = Faces(np.zeros((4, 48, 48), np.uint8), np.array([4, 4, 6, 6]), votes)
    answers = shares([6, 6, 6, 4], 0.9)
    by_votes = report(faces, answers, LABELS, "ferplus")
    assert (by_votes["n"], by_votes["accuracy"], by_votes["truth"]) == (3, 1.0, "ferplus")
    by_label = report(faces, answers, LABELS, "fer2013")
    assert (by_label["n"], by_label["accuracy"], by_label["ferplus_accuracy"]) == (4, 0.25, 1.0)


@pytest.fixture(scope="module")
def some(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand of the held-out faces: a test that nothing broke; the cards have all of them."""
    path = tmp_path_factory.mktemp("faces") / "some.npz"
    with np.load(data / "fer2013" / "public_test.npz") as all_of_them:
        np.savez(path, **{name: values[:1000] for name, values in all_of_them.items()})
    return path


@pytest.mark.parametrize(
    ("pack", "figure", "least"),
    [
        ("fer7", "ferplus_accuracy", 0.79),
        ("fer7-small", "ferplus_accuracy", 0.78),
        ("fer2013", "fer2013_accuracy", 0.65),
        ("fer2013-small", "fer2013_accuracy", 0.63),
    ],
)
def test_the_shipped_packs_answer_as_their_cards_say(
    some: Path, pack: str, figure: str, least: float
) -> None:
    options = ["--model", pack, "--data", str(some), "--point", "votes", "--json"]
    result = CliRunner().invoke(model, ["evaluate", *options])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(figures) >= {
        *("n", "accuracy", "balanced_accuracy", "macro_f1", "ece", "confusion", "labels"),
        *("ferplus_accuracy", "size_bytes", "parameters", "runtime", "us_per_face"),
    }
    assert figures[figure] >= least
    assert figures["size_bytes"] <= 300_000
    assert figures["parameters"] <= (70_000 if pack.endswith("-small") else 210_000)
    assert sum(map(sum, figures["confusion"])) == figures["n"]


def test_each_fold_has_its_macro_figures_with_intervals(some: Path) -> None:
    options = ["--model", "fer7-small", "--data", str(some), "--folds", "3", "--point", "votes"]
    table = json.loads(CliRunner().invoke(model, ["evaluate", *options, "--json"]).stdout)
    folds = table["folds"]["each"]
    assert sum(fold["n"] for fold in folds) == table["n"]
    for fold in folds:
        for name in FOLD_FIGURES:
            low, high = fold[name]["interval"]
            assert low <= fold[name]["value"] <= high
    mean = np.average([f["accuracy"]["value"] for f in folds], weights=[f["n"] for f in folds])
    assert mean == pytest.approx(table["accuracy"], abs=1e-3)
    text = CliRunner().invoke(model, ["evaluate", *options]).stdout
    for name in FOLD_FIGURES:
        assert name in text


def test_packs_stand_side_by_side(some: Path) -> None:
    options = ["compare", "--model", "fer7", "--model", "fer7-small", "--data", str(some)]
    rows = json.loads(CliRunner().invoke(model, [*options, "--json"]).stdout)
    assert [row["model"] for row in rows] == ["fer7", "fer7-small"]
    table = CliRunner().invoke(model, options).stdout
    for row in rows:
        for name in FOLD_FIGURES:
            assert f"{row[name]:.4f}" in table
    assert "On the same" in table


def test_a_form_may_be_asked_for(some: Path) -> None:
    options = ["evaluate", "--model", "fer7-small", "--data", str(some), "--json", "--form"]
    one, other = (json.loads(CliRunner().invoke(model, [*options, form]).stdout) for form in FORMS)
    assert (one["form"], other["form"]) == FORMS
    assert one["accuracy"] == pytest.approx(other["accuracy"], abs=0.01)
    assert one["size_bytes"] == other["size_bytes"]  # of the file whose digest is published


@pytest.mark.parametrize("pack", ["fer7", "fer7-small", "fer2013", "fer2013-small"])
def test_verify_accepts_the_shipped_packs(pack: str) -> None:
    result = CliRunner().invoke(model, ["verify", pack])
    assert result.exit_code == 0, result.output
    assert "7 labels" in result.stdout
