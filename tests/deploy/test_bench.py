from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from deploy.measure.material import Face, Shot, Simulated, sources
from deploy.measure.score import Counts, Frames, Windows
from edge.config import FacesSettings
from edge.vision.faces import Box
from tests.system.process import Roommood

HERE, THERE = Box(0, 0, 50, 50), Box(200, 0, 50, 50)
ANA, BEN = Face(HERE, "happy"), Face(THERE, "neutral")


def test_frames_are_scored() -> None:
    scored = Frames()
    scored.add([HERE, HERE._replace(x=5)], [ANA, BEN])  # the second is of nobody: Ana is taken
    assert (scored.recall, scored.precision) == (0.5, 0.5)
    scored.add([], [])
    assert scored.frames == 2


def test_a_window_wants_faces_confirmed() -> None:
    scored = Windows()
    for found in ([(1, HERE), (3, HERE._replace(y=300))], [(1, HERE), (2, THERE)]):
        scored.add(found, [ANA, BEN])
    scored.close()
    assert (scored.right, scored.true) == (1, 2)  # Ben was found once
    assert (scored.confirmed_right, scored.confirmed) == (1, 1)


def test_counts_are_compared_with_the_mean_of_the_truth() -> None:
    counts = Counts()
    counts.add([ANA, BEN])
    counts.add([ANA, Face(THERE, "happy")])
    assert counts.error({"happy": 1, "neutral": 1}) == pytest.approx(0.25)
    assert Counts().error({"happy": 1}) is None


def test_the_simulated_classroom_has_a_truth() -> None:
    shots: list[Shot] = list(Simulated(8).shots(2, 4))
    assert all(len(shot.faces) > 4 for shot in shots)


def test_the_shared_folders_can_be_read(data: Path) -> None:
    films = sources(data / "rooms_video")
    assert {film.path.name: len(film.truth) for film in films}["classroom_720p_20s.mp4"] == 300
    mosaics = sources(data / "rooms_mosaic")
    assert all(one.emotions_known and one.is_film for one in mosaics)
    assert len(list(mosaics[0].shots(2, 40))) == 40  # a film of 16 s, shown again


def test_the_bench_prints_what_the_contract_says(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "voc"
    folder.mkdir()
    for file in (data / "photos_voc").iterdir():
        os.symlink(file, folder / file.name)
    with Roommood("bench", "--set", folder, "--json") as run:
        assert run.process.wait(120) == 0, run.errors
        figures = json.loads(run.output())
    keys = ["frames", "recall", "precision", "false_per_frame"]
    keys += ["ms_per_frame", "cpu_ms_per_frame", "rss_mb"]
    for which in ("roommood", "reference"):
        assert {key for key in keys if figures[which][key] is None} == set()
    assert figures["ratio"] > 0
    assert figures["roommood"]["recall"] > figures["reference"]["recall"]
    assert figures["count_error"] is None


@pytest.mark.once
def test_the_bench_on_the_simulated_classroom() -> None:
    with Roommood("bench", "--frames", 12) as run:
        assert run.process.wait(150) == 0, run.errors
        assert "times less than the reference" in run.output()


@pytest.mark.once
def test_settings_that_suit_the_machine_are_settings() -> None:
    with Roommood("bench", "--tune") as run:
        assert run.process.wait(100) == 0, run.errors
        tuned = yaml.safe_load(run.output())
    FacesSettings.model_validate(tuned["faces"])
    assert 0.5 <= tuned["frames_per_second"] <= 5


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with Roommood("bench", "--set", tmp_path) as run:
        assert run.process.wait(60) == 2
        run.said("no index.json with faces")
