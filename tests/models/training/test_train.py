"""Training for real, on few faces: runs where the train extra is installed."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.vision.interpreter import TfliteClassifier
from edge.vision.pack import open_pack
from models.cli import model
from models.data.faces import LABELS
from models.measure.evaluate import FOLD_FIGURES

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def few(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first faces of both splits."""
    folder = tmp_path_factory.mktemp("few")
    for name, count in (("train", 640), ("public_test", 200)):
        with np.load(data / "fer2013" / f"{name}.npz") as whole:
            np.savez(folder / f"{name}.npz", **{key: whole[key][:count] for key in whole})
    return folder


@pytest.fixture(scope="module")
def run(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of one epoch with crops that are not faces."""
    folder = tmp_path_factory.mktemp("runs")
    noise = np.random.default_rng(1).integers(0, 255, (64, 48, 48), np.uint8)
    np.savez(folder / "none.npz", pixels=noise)
    options = ("--network", "small", "--negatives", folder / "none.npz", "--epochs", 1)
    result = call("train", "--data", few, "--out", folder / "run", *options)
    assert result.exit_code == 0, result.output
    return folder / "run"


@pytest.fixture(scope="module")
def pack(run: Path) -> Path:
    result = call("quantize", "--run", run, "--out", run.parent / "mine")
    assert result.exit_code == 0, result.output
    return run.parent / "mine"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(model, [str(argument) for argument in arguments])


def test_a_run_says_all_that_decided_it(run: Path) -> None:
    settings = json.loads((run / "settings.json").read_text())
    assert settings["truth"] == "ferplus"
    assert settings["seed"] == 1
    assert settings["labels"] == list(LABELS)
    assert cv2.imread(str(run / "curve.png")) is not None
    assert {"loss", "ferplus"} <= json.loads((run / "curve.json").read_text())[0].keys()


def test_a_finished_run_is_resumed_and_one_of_other_settings_refused(few: Path, run: Path) -> None:
    options = ("--network", "small", "--negatives", run.parent / "none.npz")
    again = call("train", "--data", few, "--out", run, "--epochs", 1, *options)
    assert "resumed after epoch 1" in again.output
    other = call("train", "--data", few, "--out", run, "--epochs", 3, *options)
    assert "other settings" in str(other.exception)


def test_a_pack_says_where_it_comes_from_and_verifies(run: Path, pack: Path) -> None:
    description, content = open_pack(str(pack))
    assert description.labels == LABELS
    assert 25 < description.input.least_contrast < 45
    assert description.parameters <= 70_000
    assert len(content) <= 300_000
    assert "--network small" in description.command
    assert f"--out {run}" in description.command
    assert sum(map(sum, description.confusion)) > 190
    assert call("verify", pack).exit_code == 0
    assert set(description.figures) >= {"accuracy", "float_accuracy", "ece"}


def test_the_file_answers_as_the_network_did(run: Path, pack: Path, few: Path) -> None:
    import torch

    from models.training.runs import load_network

    network, _ = load_network(run)
    faces = np.load(few / "public_test.npz")["pixels"][:50]
    with torch.no_grad():
        logits = network(torch.from_numpy(faces).unsqueeze(1).float() / 127.5 - 1)
    description, content = open_pack(str(pack))
    answers = TfliteClassifier(content, description.input, 7)(faces)
    assert answers.shares == pytest.approx(torch.softmax(logits[:, :-1], 1).numpy(), abs=0.05)
    assert answers.face == pytest.approx(torch.sigmoid(logits[:, -1]).numpy(), abs=0.05)


def test_a_pack_gets_a_card(pack: Path, few: Path) -> None:
    result = call("card", "--model", pack, "--data", few / "public_test.npz")
    assert result.exit_code == 0, result.output
    text = (pack / "CARD.md").read_text()
    assert text.index("does not know what a person feels") < text.index("## Figures")
    for name in ("confusion", "reliability", "envelope"):
        assert f"({name}.png)" in text
        assert cv2.imread(str(pack / f"{name}.png")) is not None


def test_an_answer_is_explained(pack: Path, few: Path, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "why.png", "--samples", 2)
    result = call("explain", "--model", pack, "--data", few / "public_test.npz", *options)
    assert result.exit_code == 0, result.output
    assert "13 faces" in result.output or "14 faces" in result.output
    assert cv2.imread(str(tmp_path / "why.png")).std() > 10

    face = np.load(few / "public_test.npz")["pixels"][0]
    cv2.imwrite(str(tmp_path / "one.png"), face)
    result = call("explain", "--model", pack, "--data", tmp_path / "one.png", *options[:2])
    assert "1 faces" in result.output


def test_guided_gradients_are_of_the_answer_and_leave_torch_as_it_was(pack: Path) -> None:
    import torch

    from models.training.explain import maps
    from models.training.saved_networks import from_pack

    plain = torch.relu
    faces = np.random.default_rng(1).integers(0, 255, (3, 48, 48), np.uint8)
    answers, activation, gradient = maps(from_pack(str(pack)), faces)
    assert answers.shape == (3,)
    assert activation.shape == gradient.shape == (3, 48, 48)
    assert 0 <= gradient.min() <= gradient.max() <= 1
    assert torch.relu is plain


def test_a_student_learns_from_a_teacher(few: Path, tmp_path: Path) -> None:
    teacher = ("--network", "teacher", "--truth", "both", "--mixup", 0.5, "--epochs", 1)
    result = call("train", "--data", few, "--out", tmp_path / "teacher", *teacher)
    assert result.exit_code == 0, result.output
    refusal = call("quantize", "--run", tmp_path / "teacher", "--out", tmp_path / "pack")
    assert "too large for a device" in str(refusal.exception)

    for truth in ("ferplus", "fer2013"):
        options = ("--network", "small", "--truth", truth, "--teacher", tmp_path / "teacher")
        result = call("train", "--data", few, "--out", tmp_path / truth, "--epochs", 1, *options)
        assert result.exit_code == 0, result.output
    (views,) = tmp_path.glob("views-teacher-*")  # one for both students
    assert [path.name for path in views.iterdir()] == ["000.npz"]


def test_a_student_learns_from_a_pack_of_the_same_truth_alone(few: Path, tmp_path: Path) -> None:
    options = ("--data", few, "--network", "small", "--epochs", 1, "--out", tmp_path / "run")
    wrong = ("--truth", "ferplus", "--teacher", "fer2013-small", "--out", tmp_path / "wrong")
    refusal = call("train", *options, *wrong)
    assert "fer2013-small: a teacher with other labels" in str(refusal.exception)
    packs = ("--teacher", "fer2013", "--teacher", "fer2013-small")
    result = call("train", *options, "--truth", "fer2013", *packs)
    assert result.exit_code == 0, result.output
    (views,) = tmp_path.glob("views-fer2013-fer2013-small-*")
    with np.load(views / "000.npz") as arrays:
        faces = arrays["logits"][: len(np.load(few / "train.npz")["label"])]
        assert arrays["logits"].shape[1] == 8
    with np.load(few / "train.npz") as archive:
        right = faces[:, :7].argmax(1) == archive["label"]
    assert right.mean() > 0.5


def test_labels_of_ones_own_groups_and_a_start_from_a_pack(
    pack: Path, few: Path, tmp_path: Path
) -> None:
    with np.load(few / "train.npz") as faces:
        pixels, label = faces["pixels"], faces["label"]
    rows = []
    for name, at in (("engaged", 3), ("bored", 4)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number, face in enumerate(pixels[label == at][:40]):
            cv2.imwrite(str(tmp_path / "own" / name / f"{number}.png"), face)
            rows.append({"file": f"{name}/{number}.png", "age": number % 2})
    with (tmp_path / "groups.csv").open("w") as file:
        writer = csv.DictWriter(file, ["file", "age"])
        writer.writeheader()
        writer.writerows(rows)
    options = ("--network", "small", "--start", pack, "--batch", 16, "--epochs", 2)
    by = ("--groups", tmp_path / "groups.csv")
    result = call("train", "--data", tmp_path / "own", "--out", tmp_path / "run", *options, *by)
    assert result.exit_code == 0, result.output
    result = call("quantize", "--run", tmp_path / "run", "--out", tmp_path / "school")
    assert result.exit_code == 0, result.output
    description, _ = open_pack(str(tmp_path / "school"))
    assert description.labels == ("bored", "engaged")
    assert description.truth == "own"

    per_group = ("--by", tmp_path / "groups.csv", "--json")
    evaluation = call(
        "evaluate", "--model", tmp_path / "school", "--data", tmp_path / "own", *per_group
    )
    figures = json.loads(evaluation.stdout)
    assert figures["n"] == 80
    assert set(figures["groups"]["age"]["groups"]) == {"0", "1"}
    other = call("evaluate", "--model", pack, "--data", tmp_path / "own")
    assert "the data is labelled bored, engaged" in str(other.exception)


@pytest.fixture
def sixteen(few: Path, tmp_path: Path) -> Path:
    """Four pictures of each of four labels of one's own."""
    with np.load(few / "train.npz") as faces:
        pixels, label = faces["pixels"], faces["label"]
    for name, at in (("angry", 0), ("bored", 4), ("engaged", 3), ("neutral", 6)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number, face in enumerate(pixels[label == at][:4]):
            cv2.imwrite(str(tmp_path / "own" / name / f"{number}.png"), face)
    return tmp_path / "own"


def test_three_networks_learn_sixteen_pictures_and_stand_in_one_table(
    sixteen: Path, tmp_path: Path
) -> None:
    options = ("--epochs", 2, "--from-nothing", "--json")
    result = call("variants", "--data", sixteen, "--out", tmp_path / "runs", *options)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["network"] for row in rows] == ["small", "standard", "wide"]
    for row in rows:
        assert row["n"] == 4  # one of each label is held out
        assert {"accuracy", "macro_precision", "macro_recall", "macro_f1"} <= row.keys()
        pack, _ = open_pack(str(tmp_path / "runs" / "packs" / row["network"]))
        assert pack.labels == ("angry", "bored", "engaged", "neutral")
        assert row["size_bytes"] <= 1_000_000
    packs = [f"--model={tmp_path / 'runs' / 'packs' / row['network']}" for row in rows]
    table = call("compare", *packs, "--data", sixteen)
    assert "macro_f1" in table.output
    assert "On the same 16 faces." in table.output


def test_pictures_that_leave_nothing_to_hold_out_are_named(tmp_path: Path) -> None:
    for name in ("bored", "engaged"):
        (tmp_path / "own" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "own" / name / "1.png"), np.full((60, 60), 90, np.uint8))
    result = call("train", "--data", tmp_path / "own", "--out", tmp_path / "run", "--epochs", 1)
    assert "no two of a label" in str(result.exception)


def test_every_fold_is_trained_and_scored_on_faces_it_has_not_seen(
    few: Path, tmp_path: Path
) -> None:
    options = ("--network", "small", "--epochs", 1, "--folds", 2)
    result = call("train", "--data", few, "--out", tmp_path / "runs", *options)
    assert result.exit_code == 0, result.output
    assert "2 folds" in result.stdout
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["fold", "n", *FOLD_FIGURES]
    for row in rows[:2]:
        assert row.count("[") == row.count("]") == len(FOLD_FIGURES)  # an interval each
    assert rows[2].split()[0] == "mean"
    folds = [
        json.loads((tmp_path / "runs" / f"fold-{k}" / "settings.json").read_text()) for k in (0, 1)
    ]
    assert [fold["fold"] for fold in folds] == ["0/2", "1/2"]


def test_a_resumed_run_ends_as_an_unbroken_one(few: Path, tmp_path: Path) -> None:
    import torch

    from models.training.runs import CHECKPOINT, Settings
    from models.training.train import train

    settings = Settings(data=str(few), network="small", epochs=2)
    train(tmp_path / "whole", settings, lambda _line: None)

    def stop(line: str) -> None:
        if line.startswith("epoch 1/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", settings, stop)
    train(tmp_path / "broken", settings, lambda _line: None)
    one, two = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True)["network"]
        for name in ("whole", "broken")
    )
    assert all(torch.allclose(one[key], two[key], atol=1e-6) for key in one)


def test_the_wrong_data_is_named(few: Path, tmp_path: Path) -> None:
    lacking = tmp_path / "lacking"
    lacking.mkdir()
    shutil.copy(few / "train.npz", lacking)
    result = call("train", "--data", lacking, "--out", tmp_path / "run")
    assert "public_test.npz: no such file" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_run_without_weights_is_named(tmp_path: Path) -> None:
    result = call("quantize", "--run", tmp_path, "--out", tmp_path / "pack")
    assert "contains no run" in str(result.exception)
