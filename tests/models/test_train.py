"""Training for real, on few faces: runs where the train extra is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.pack import open_pack
from models.cli import model

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def few(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first faces of both splits."""
    folder = tmp_path_factory.mktemp("few")
    for name, count in (("train", 640), ("public_test", 200)):
        with np.load(data / "fer2013" / f"{name}.npz") as whole:
            np.savez(folder / f"{name}.npz", **{key: whole[key][:count] for key in whole})
    return folder


def call(*arguments: object) -> Result:
    return CliRunner().invoke(model, [str(argument) for argument in arguments])


def test_train_stop_resume_quantize_verify(few: Path, tmp_path: Path) -> None:
    run, pack = tmp_path / "run", tmp_path / "mine"
    first = call("train", "--data", few, "--out", run, "--epochs", 2)
    assert first.exit_code == 0, first.output
    assert (run / "curve.json").exists()

    again = call("train", "--data", few, "--out", run, "--epochs", 2)
    assert "resumed after epoch 2" in again.output

    other = call("train", "--data", few, "--out", run, "--epochs", 3)
    assert "other settings" in str(other.exception)

    made = call("quantize", "--run", run, "--out", pack)
    assert made.exit_code == 0, made.output
    opened, content = open_pack(str(pack))
    assert opened.labels == open_pack("fer7")[0].labels
    assert opened.parameters == 56_951
    assert len(content) <= 300_000
    assert f"--out {run}" in opened.command
    assert call("verify", pack).exit_code == 0


def test_a_resumed_run_ends_as_an_unbroken_one(few: Path, tmp_path: Path) -> None:
    import torch

    from models.train import CHECKPOINT, Settings, train

    settings = Settings(data=str(few), epochs=2)
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
    done = call("train", "--data", lacking, "--out", tmp_path / "run")
    assert "public_test.npz: no such file" in str(done.exception)
    assert not (tmp_path / "run").exists()


def test_a_run_without_weights_is_named(tmp_path: Path) -> None:
    done = call("quantize", "--run", tmp_path, "--out", tmp_path / "pack")
    assert "holds no finished epoch" in str(done.exception)
