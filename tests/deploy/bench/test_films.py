"""Films made from a seed: the same again, with a truth that is where the faces are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deploy.bench.measure.films import films, write
from deploy.bench.measure.films.film import FilmPlan
from deploy.bench.measure.films.people import london
from deploy.bench.measure.films.script import KINDS, TILT, moves
from deploy.bench.measure.material import Source, sources
from edge.common.errors import UserError
from edge.vision.faces import HaarDetector, overlap

pytestmark = pytest.mark.once


def plan_of(kind: str, people: int = 4) -> FilmPlan:
    return FilmPlan(kind, people, 5, None)


@pytest.mark.parametrize("kind", [*KINDS, "dim", "walk+dim"])
def test_a_seed_gives_the_same_film_again(kind: str) -> None:
    first, again = (list(plan_of(kind).shots(2, 3)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert (one.grey == other.grey).all()
        assert one.faces == other.faces
    assert any(picture.faces for picture in first)
    assert not (first[0].grey == first[2].grey).all()


def test_the_truth_is_where_the_faces_are() -> None:
    for picture in plan_of("still").shots(2, 4):
        there = HaarDetector().find(picture.grey)
        for face in picture.faces:
            assert max(overlap(face.box, box) for box in there) > 0.4


def test_heads_lean_as_far_as_they_say() -> None:
    tilts = [move(second / 2).tilt for move in moves("tilt", 20, 1) for second in range(60)]
    assert TILT - 3 < max(tilts) <= TILT
    assert -TILT <= min(tilts) < 3 - TILT


def test_who_is_hidden_is_not_to_be_found() -> None:
    truth = [picture.faces for picture in plan_of("hide", 16).shots(1, 20)]
    assert min(len(faces) for faces in truth) < 16
    assert any(face.unsure for faces in truth for face in faces)


def test_a_dim_room_is_dim() -> None:
    bright, dim = (next(plan_of(kind).shots(2, 1)).grey.mean() for kind in ("tilt", "tilt+dim"))
    assert dim < 0.6 * bright


def test_the_two_halves_have_nobody_in_common(data: Path) -> None:
    halves = [london(data / "faces_london", half, 1) for half in ("develop", "report")]
    faces = [
        {half.portrait(n, "neutral").layers[2].luma.tobytes() for n in range(half.people // 2)}
        for half in halves
    ]
    assert len(faces[0]) + len(faces[1]) == 51
    assert not faces[0] & faces[1]


def test_a_folder_without_portraits_is_refused(tmp_path: Path) -> None:
    (film,) = films("walk", 3, 1, tmp_path, "report")
    with pytest.raises(UserError, match="--faces"):
        next(film.shots(2, 1))


def test_a_film_is_written_with_its_truth(tmp_path: Path) -> None:
    write(tmp_path, [plan_of("walk")], 2, 4)
    (film,) = sources(tmp_path)
    assert isinstance(film, Source)
    shots = list(film.shots(2, 4))
    for picture, again in zip(shots, plan_of("walk").shots(2, 4), strict=True):
        assert picture.faces == again.faces
        assert np.abs(picture.grey.astype(int) - again.grey).mean() < 6
    truth = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert {"slot", "box", "emotion", "unsure"} <= set(truth[0][0])
