"""The shipped packs' recipe: a run that waits for another, and one that is stopped."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.common.errors import Refusal
from models.cli import train
from tests.free import wait

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]

SMALL = "--network small --epochs 1"


@pytest.fixture
def place(data: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A data folder with few faces, and a folder for runs with crops that are no faces."""
    for name, count in (("train", 256), ("public_test", 100)):
        with np.load(data / "fer2013" / f"{name}.npz") as whole:
            (tmp_path / "data" / "fer2013").mkdir(parents=True, exist_ok=True)
            some = {key: whole[key][:count] for key in whole}
            np.savez(tmp_path / "data" / "fer2013" / f"{name}.npz", **some)
    out = tmp_path / "out"
    out.mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (64, 48, 48), np.uint8)
    np.savez(out / "negatives.npz", pixels=noise)
    yield tmp_path / "data", out
    shutil.rmtree(tmp_path / "data")


def test_each_run_is_a_command_and_comes_after_what_it_needs() -> None:
    from models.recipe import PACKS, STAGES, arguments, needs, wanted

    order = wanted(STAGES, list(PACKS.values()))
    assert set(order) == set(STAGES)
    for at, name in enumerate(order):
        assert set(needs(STAGES[name])) <= set(order[:at])
        words = arguments(name, STAGES[name], Path("data"), Path("out"))
        given = train.make_context("train", words[2:]).params
        assert given["out"] == Path("out") / name
        told = {*given["teacher"], given["start"]} - {None}
        assert told == {f"out/{run}" for run in needs(STAGES[name])}
    with pytest.raises(Refusal, match="fer8: no such run: choose from teacher-1"):
        wanted(STAGES, ["fer8"])


def test_runs_wait_for_each_other_and_are_made_once(
    place: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from models.recipe import Scheduler

    stages = {"first": SMALL, "second": f"{SMALL} --truth ferplus --start first --teacher first"}
    Scheduler(*place, stages).finish(["first", "second"], jobs=2)
    said = capsys.readouterr().out
    assert said.index("first: finished") < said.index("second: roommood model train")
    settings = json.loads((place[1] / "second" / "settings.json").read_text())
    assert settings["start"] == str(place[1] / "first")
    Scheduler(*place, stages).finish(["first", "second"], jobs=2)
    assert capsys.readouterr().out == ""


def test_a_run_that_fails_is_named_with_its_log(place: tuple[Path, Path]) -> None:
    from models.recipe import Scheduler

    with pytest.raises(Refusal, match=r"own: failed: read .*own\.log"):
        Scheduler(*place, {"own": f"{SMALL} --start nothing"}).finish(["own"], jobs=1)
    assert "neither a run nor a pack" in (place[1] / "own.log").read_text()


def test_a_recipe_that_is_stopped_leaves_no_run_behind(place: tuple[Path, Path]) -> None:
    data, out = place
    command = [sys.executable, "-m", "models.recipe", "--data", str(data), "--out", str(out)]
    recipe = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    settings = out / "teacher-1" / "settings.json"
    wait(settings.exists, 60)
    recipe.send_signal(signal.SIGTERM)
    _, said = recipe.communicate(timeout=30)
    assert recipe.returncode == 1
    assert said.strip() == "roommood: stopped: the same command goes on where it was"
    running = subprocess.run(["pgrep", "-f", str(out)], capture_output=True, check=False)
    assert running.stdout == b""
