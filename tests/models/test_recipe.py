"""The recipe in miniature, on a CPU: trained by the clock, resumed, and made into packs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

from edge.common.errors import UserError
from edge.vision.pack import open_pack

pytestmark = [pytest.mark.train, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def place(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A data folder with few faces, and a folder for runs with crops that are not faces."""
    import torch

    torch.set_num_threads(1)  # beside other tests, threads that wait for each other take minutes
    folder = tmp_path_factory.mktemp("recipe")
    for name, count in (("train", 128), ("public_test", 100)):
        with np.load(data / "fer2013" / f"{name}.npz") as whole:
            (folder / "data" / "fer2013").mkdir(parents=True, exist_ok=True)
            some = {key: whole[key][:count] for key in whole}
            np.savez(folder / "data" / "fer2013" / f"{name}.npz", **some)
    for name in ("faces_london", "faces_press"):
        (folder / "data" / name).symlink_to(data / name)
    (folder / "out").mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (32, 48, 48), np.uint8)
    np.savez(folder / "out" / "negatives.npz", pixels=noise)
    yield folder / "data", folder / "out"
    shutil.rmtree(folder / "data")


def call(data: Path, out: Path, *options: object) -> Result:
    from models.recipe import main

    words = ["--data", str(data), "--out", str(out), *map(str, options)]
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def recipe_out(place: tuple[Path, Path]) -> Path:
    """What a third of a minute on a CPU leaves: all students."""
    data, out = place
    result = call(data, out, "--minutes", 0.3)
    assert result.exit_code == 0, result.output
    return out


def test_it_leaves_half_precision_weights_of_all_students_and_curves(recipe_out: Path) -> None:
    from models.training.session import STUDENTS

    students = sorted(path.stem for path in (recipe_out / "students").glob("*.npz"))
    assert students == sorted(STUDENTS)
    for path in [*recipe_out.glob("students/*.npz"), *recipe_out.glob("teachers/*.npz")]:
        assert path.stat().st_size < 16 * 2**20
        with np.load(path) as arrays:
            assert {arrays[key].dtype for key in arrays} <= {np.dtype("float16"), np.dtype("int64")}
    curve = json.loads((recipe_out / "students" / "curve.json").read_text())
    assert curve[-1]["progress"] == 1
    assert set(curve[-1]) >= set(STUDENTS) - {"fer7-wide"}
    assert curve[-1]["fer7"]["ferplus"] > 0.6  # it started from what ships


def test_a_wide_student_is_the_head_of_the_wide_teacher(recipe_out: Path) -> None:
    import torch

    from models.training.saved_networks import read_weights

    both = read_weights(recipe_out / "teachers" / "wide.npz")
    one = read_weights(recipe_out / "students" / "fer7-wide.npz", 8, "wide")
    faces = torch.rand(4, 1, 48, 48)
    with torch.no_grad():
        assert torch.allclose(one(faces)[:, :7], both(faces)[:, :7], atol=1e-3)
        assert torch.allclose(one(faces)[:, 7], both(faces)[:, 14], atol=1e-3)


def test_packs_are_made_of_it_and_replace_worse_ones_only(
    place: tuple[Path, Path], recipe_out: Path, tmp_path: Path
) -> None:
    data, _ = place
    packs = tmp_path / "packs"
    result = call(data, recipe_out, "--finish", "--packs", packs, "--only", "fer7-small")
    assert result.exit_code == 0, result.output
    pack, _ = open_pack(str(packs / "fer7-small"))
    assert pack.float16 is not None
    assert pack.network == "small"
    assert "--minutes 0.3" in pack.command
    assert "--finish" in pack.command
    assert pack.figures["forms_agree"] > 0.9
    assert pack.room is not None
    text = (packs / "fer7-small" / "CARD.md").read_text()
    for name in ("london", "press", "ferplus"):
        value = pack.figures[f"room_{name}_accuracy"]
        assert f"{100 * value:.1f} %" in text.split("## In a room")[1]

    description = packs / "fer7-small" / "pack.yaml"
    content = yaml.safe_load(description.read_text())
    content["figures"]["accuracy"] = 0.99
    description.write_text(yaml.safe_dump(content))
    before = (packs / "fer7-small" / "model.tflite").read_bytes()
    again = call(data, recipe_out, "--finish", "--packs", packs, "--only", "fer7-small")
    assert again.exit_code == 0, again.output
    assert "no better than 0.99: left as it is" in again.output
    assert (packs / "fer7-small" / "model.tflite").read_bytes() == before


def test_teachers_from_nothing_teach_the_students_view_by_view(
    place: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU does, on a CPU: the steps are few, the path is the same."""
    from models.training import session

    data, out = place
    shutil.copy(out / "negatives.npz", tmp_path)
    monkeypatch.setattr(session, "FROM_NOTHING", ("teacher-fine",))
    options = ("--minutes", 0.25, "--from-nothing", "--only", "fer7-small", "--only", "fer7-wide")
    result = call(data, tmp_path, *options)
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.glob("teachers/*")] == ["teacher-fine-1.npz"]
    assert (tmp_path / "teachers" / "teacher-fine-1.npz").stat().st_size < 16 * 2**20
    students = {path.stem for path in tmp_path.glob("students/*.npz")}
    assert students == {"fer7-small", "fer7-wide"}


def test_a_course_that_is_stopped_goes_on_with_the_time_that_was_left(
    place: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from models.data.sources import load
    from models.training import course
    from models.training.batches import FaceStore
    from models.training.course import Course, CoursePlan, Student
    from models.training.network import build

    faces = FaceStore(load(place[0] / "fer2013" / "train.npz"), None, torch.device("cpu"))
    plan = CoursePlan(seconds=6, rate=1e-3, batch=64)
    monkeypatch.setattr(course, "KEEP_EVERY_S", 0)

    def fresh() -> tuple[Course, Student]:
        student = Student(build("small", 8), "ferplus", plan, torch.device("cpu"))
        return Course(tmp_path, plan, {"one": student}, faces, half=False), student

    notes: list[str] = []

    def stop(line: str) -> None:
        notes.append(line)
        if len(notes) == 2:  # by then the first has been kept, however slow the machine is
            raise KeyboardInterrupt

    first, student = fresh()
    with pytest.raises(KeyboardInterrupt):
        first.hold(lambda _network, _truth: {"ferplus": 0.5}, stop)
    assert student.steps
    second, second_course = fresh()
    assert 0 < second_course.steps <= student.steps
    before = second_course.steps
    curve = second.hold(lambda _network, _truth: {"ferplus": 0.5}, lambda _line: None)
    progress = [point["progress"] for point in curve]
    assert progress == sorted(set(progress))  # none of the time is spent twice
    assert progress[0] == json.loads(notes[0])["progress"]
    assert progress[-1] == 1
    assert second_course.steps > before


def test_the_step_size_follows_the_clock() -> None:
    from models.training.course import rate_at

    rates = [rate_at(p / 100, 1.0) for p in range(101)]
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert rates[0] == 0
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert all(a >= b for a, b in pairwise(rates[6:]))


def test_a_square_of_another_face_brings_its_part_of_the_answer() -> None:
    import torch

    from models.training.batches import Batch, cutmix

    side, count = 48, 64
    pixels = torch.arange(count).float().view(count, 1, 1, 1).expand(count, 1, side, side)
    target = torch.eye(count)[:, :7]
    batch = Batch(pixels, target, target, *(torch.ones(count) for _ in range(3)))
    blend = cutmix(batch, 0.25, torch.Generator().manual_seed(3))
    own = (blend.pixels == pixels).float().mean((1, 2, 3))
    other_part = own < 1
    assert other_part.float().mean() > 0.9
    assert own[other_part] == pytest.approx(torch.full((int(other_part.sum()),), 0.75), abs=0.01)
    assert blend.ferplus[0].max() == pytest.approx(0.75 if other_part[0] else 1, abs=0.01)


def test_what_cannot_be_done_is_named(place: tuple[Path, Path], tmp_path: Path) -> None:
    data, out = place
    for options, words in (
        ((), "add --minutes N to train, or --finish"),
        (("--minutes", 1, "--finish"), "add --minutes N to train, or --finish"),
        (("--finish",), "add --packs FOLDER"),
        (("--minutes", 1, "--only", "fer8"), "fer8: no such student: choose from fer7-wide"),
    ):
        result = call(data, out, *options)
        assert isinstance(result.exception, UserError)
        assert words in str(result.exception)
    empty = call(data, tmp_path, "--finish", "--packs", tmp_path / "packs")
    assert "no student is there: train first" in str(empty.exception)
