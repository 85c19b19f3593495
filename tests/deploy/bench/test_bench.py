from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from deploy.bench.cli import bench
from deploy.bench.measure.material import MaterialFrame, SimulatedSource, TrueFace, sources
from deploy.bench.measure.score import Confirmation, Counts, Frames, Windows
from edge.config import FacesSettings
from edge.vision.faces import Box
from tests.system.process import Roommood

pytestmark = pytest.mark.once

HERE, THERE = Box(0, 0, 50, 50), Box(200, 0, 50, 50)
ANA, BEN = TrueFace(HERE, "happy"), TrueFace(THERE, "neutral")


def test_frames_are_scored() -> None:
    score = Frames()
    score.add([HERE, HERE._replace(x=5)], [ANA, BEN])  # the second is of nobody: Ana is taken
    assert (score.recall, score.precision) == (0.5, 0.5)
    score.add([], [])
    assert score.frames == 2


def test_what_is_half_hidden_is_neither_missed_nor_wrong() -> None:
    score = Frames()
    half_face = BEN._replace(unsure=True)
    assert score.add([HERE, THERE], [ANA, half_face]) == [0, 1]
    score.add([HERE], [ANA, half_face])
    assert (score.recall, score.precision) == (1, 1)


def confirm(*frames: list[Box]) -> Confirmation:
    """A window of Ana and Ben, in whose frames something was found, in any order."""
    score = Windows()
    for boxes in frames:
        score.add(boxes, [ANA, BEN], Frames().add(boxes, [ANA, BEN]))
    return score.close()


WALL = HERE._replace(y=300)


def test_a_window_wants_faces_confirmed() -> None:
    once = confirm([HERE, WALL], [HERE, THERE])  # Ben was found once, and something on the wall
    assert once == Confirmation(true=2, right=1, detections=1, somebody=1)
    twice = confirm([HERE, WALL], [WALL, THERE], [HERE])
    assert twice == Confirmation(true=2, right=1, detections=2, somebody=1)


def test_nothing_is_confirmed_by_its_place_in_a_list() -> None:
    """Two faces that are each found once are not one that was found twice."""
    assert confirm([HERE], [THERE]) == Confirmation(true=2)


def test_who_walks_is_one_person_where_the_truth_says_so() -> None:
    score = Windows()
    for x in (0, 300, 600):
        walker = [TrueFace(HERE._replace(x=x), None, person=7)]
        score.add([walker[0].box], walker, [0])
    assert score.close() == Confirmation(1, 1, 1, 1)


def test_counts_are_compared_with_the_mean_of_the_truth() -> None:
    counts = Counts()
    counts.add([ANA, BEN])
    counts.add([ANA, TrueFace(THERE, "happy")])
    assert counts.error({"happy": 1, "neutral": 1}) == pytest.approx(0.25)
    assert Counts().error({"happy": 1}) is None


def test_the_simulated_classroom_has_a_truth() -> None:
    shots: list[MaterialFrame] = list(SimulatedSource(8).shots(2, 4))
    assert all(len(picture.faces) > 4 for picture in shots)


def test_the_shared_folders_can_be_read(data: Path) -> None:
    films = sources(data / "rooms_video")
    assert {film.path.name: len(film.truth) for film in films}["classroom_720p_20s.mp4"] == 300
    mosaics = sources(data / "rooms_mosaic")
    assert all(one.has_emotions and one.is_film for one in mosaics)
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
def test_the_bench_on_films_made_from_a_seed() -> None:
    options = ["--films", "walk,tilt+dim", "--people", 3, "--seed", 4, "--seconds", 5, "--json"]
    with Roommood("bench", *options) as run:
        assert run.process.wait(150) == 0, run.errors
        figures = json.loads(run.output())
    assert [film["film"] for film in figures["reference"]["films"]] == ["walk-3-4", "tilt+dim-3-4"]
    assert len(figures["roommood"]["minutes"]) == 1
    assert set(figures["ratio_by_film"]) == {"walk-3-4", "tilt+dim-3-4"}


def test_a_film_that_there_is_not_is_refused() -> None:
    with Roommood("bench", "--films", "fly") as run:
        assert run.process.wait(60) == 2
        run.wait_for_line("--films fly: not a kind of film")


@pytest.mark.once
def test_the_bench_on_the_simulated_classroom() -> None:
    with Roommood("bench", "--frames", 10) as run:
        assert run.process.wait(150) == 0, run.errors
        assert "times less than the reference" in run.output()


@pytest.mark.once
def test_settings_that_suit_the_machine_are_settings() -> None:
    with Roommood("bench", "--tune") as run:
        assert run.process.wait(100) == 0, run.errors
        settings = yaml.safe_load(run.output())
    FacesSettings.model_validate(settings["faces"])
    assert 0.5 <= settings["frames_per_second"] <= 5


def test_a_folder_without_truth_is_refused(tmp_path: Path) -> None:
    with Roommood("bench", "--set", tmp_path) as run:
        assert run.process.wait(60) == 2
        run.wait_for_line("no index.json with faces")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mysql://kim:secret@db/x", "--database: unknown kind of database: use sqlite or"),
        ("kim:secret", "--database: not a database URL: write sqlite:///"),
        ("postgresql://kim:secret@127.0.0.1:1/x", "onnection refused"),
    ],
)
def test_a_database_is_named_as_in_settings(url: str, error: str) -> None:
    options = ["--history", "1000", "--database", url]
    result = CliRunner().invoke(bench, ["collector", *options])
    assert error in str(result.exception)
    assert "secret" not in str(result.exception) + result.output
