"""Finding faces for real: the simulated classroom, and the shared photographs and films."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import cv2
import numpy as np
import pytest

from deploy.bench.measure.films import FilmPlan
from deploy.bench.measure.material import sources
from deploy.bench.measure.score import Frames
from edge.camera.base import Grey
from edge.camera.simulation import SimulatedCamera
from edge.common.errors import UserError
from edge.config import FacesSettings
from edge.vision.detectors import Choice, choose, search
from edge.vision.emotion import Expressions, crop
from edge.vision.faces import Box, HaarDetector, overlap
from edge.vision.haar import HaarSearch
from edge.vision.layout import Layout
from edge.vision.pack import open_pack
from edge.vision.pipeline import FACE, VisionPipeline, layout, room
from edge.vision.yunet import YuNetSearch
from models.data.films import Film
from models.data.photographs import grey, read_photographs

pytestmark = pytest.mark.long


def haar() -> FacesSettings:
    return FacesSettings()


def yunet(data: Path) -> FacesSettings:
    return FacesSettings(detector="yunet", model=data / "detectors" / "face_yunet_n.onnx")


def face_counts(pipeline: VisionPipeline, seconds: int = 15) -> list[int]:
    """Faces in each frame of a window of the simulated classroom, at two per second."""
    camera = SimulatedCamera(24, 1)
    return [len(pipeline.look(camera.grey(30 + number / 2))) for number in range(2 * seconds)]


def truth(seconds: int = 15) -> list[int]:
    room_of = SimulatedCamera(24, 1).classroom
    return [sum(room_of.truth(30 + number / 2).values()) for number in range(2 * seconds)]


@pytest.mark.parametrize("reads", [True, False])
def test_a_window_of_the_classroom_is_counted(reads: bool) -> None:
    expressions = Expressions.from_pack(*open_pack("fer7")) if reads else None
    counts = face_counts(room(haar(), expressions, Layout()))
    assert abs(statistics.median(counts) - statistics.median(truth())) <= 2


def test_yunet_counts_it_too(data: Path) -> None:
    counts = face_counts(room(yunet(data), None, Layout()))
    assert abs(statistics.median(counts) - statistics.median(truth())) <= 2


@pytest.mark.parametrize("detector", [haar, yunet])
def test_a_tilting_head_is_followed(detector: object, data: Path) -> None:
    settings = haar() if detector is haar else yunet(data)
    pipeline = room(settings, None, layout(settings))
    film = Film(data / "rooms_video" / "head-pose-face-detection-male.mp4")
    counts = [len(pipeline.look(frame)) for number, frame in enumerate(film) if number % 6 == 0]
    assert sum(count == 1 for count in counts) / len(counts) > 0.8


def test_a_scene_without_people_has_no_faces(data: Path) -> None:
    pipeline = room(haar(), Expressions.from_pack(*open_pack("fer7")), Layout())
    film = Film(data / "rooms_video" / "bottle-detection.mp4")
    assert [pipeline.look(frame) for frame in film] == [[]] * 45


def test_photographs_of_rooms(data: Path) -> None:
    expressions = Expressions.from_pack(*open_pack("fer7"))
    right = boxes_right = true = 0
    for photograph in read_photographs(data / "photos_voc"):
        pipeline = room(haar(), expressions, Layout(), patient=True)
        boxes = [face.box for _, face in pipeline.faces(grey(photograph.file))]
        right += sum(any(overlap(box, face) >= 0.4 for box in boxes) for face in photograph.faces)
        boxes_right += len(boxes)
        true += len(photograph.faces)
    assert right / true > 0.8
    assert right / boxes_right > 0.9


def test_auto_is_yunet_where_its_file_is(data: Path, tmp_path: Path) -> None:
    place = tmp_path / "yunet.onnx"
    auto = FacesSettings(detector="auto", model=place)
    assert choose(auto) == Choice("haar", f"{place} is not there")
    assert isinstance(search(auto, has_classifier=True), HaarSearch)
    place.write_bytes((data / "detectors" / "face_yunet_n.onnx").read_bytes())
    assert choose(auto).name == "yunet"
    assert isinstance(search(auto, has_classifier=True), YuNetSearch)


def test_auto_says_what_is_wrong_with_a_file_and_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "yunet.onnx"
    place.write_bytes(b"nonsense")
    choice = choose(FacesSettings(detector="auto", model=place))
    assert choice.name == "haar"
    assert "not a YuNet model" in str(choice.problem)
    assert choose(FacesSettings(detector="auto")).name == "haar"


def test_yunet_finds_as_many_in_the_third_minute(data: Path) -> None:
    """What is learnt of the faces' sizes must not shrink them until they are lost."""
    pipeline, frames = room(yunet(data), None, Layout()), Frames()
    film = next(one for one in sources(data / "rooms_mosaic") if "4x6" in one.path.name)
    shots = list(film.shots(2, 16))
    for _ in range(4):  # windows: sizes are learnt at the end of each
        for picture in shots:
            pipeline.faces(picture.grey.copy())
        pipeline.forget()
    for picture in shots:
        frames.add([face.box for _, face in pipeline.faces(picture.grey.copy())], picture.faces)
    assert frames.recall
    assert frames.recall > 0.97


def test_without_a_model_every_face_is_a_face() -> None:
    pipeline = room(haar(), None, Layout())
    assert {face.label for face in pipeline.look(SimulatedCamera(8, 1).grey(30))} == {FACE}


def test_a_look_finds_the_face_of_a_place_and_not_the_neighbour_s() -> None:
    search = HaarSearch(1.1, 2, 24, has_classifier=True)
    picture = SimulatedCamera(8, 1).grey(30)
    faces = HaarDetector().find(picture)  # with five neighbours: these are faces
    assert len(faces) > 4
    for box in faces:
        shift = box._replace(x=box.x + box.width // 8)
        again = search.recheck(picture, shift)
        assert again is not None
        assert overlap(again, box) > 0.4
        beside = box._replace(x=box.x + round(1.3 * box.width))
        stray = search.recheck(picture, beside)
        assert stray is None or overlap(stray, box) < 0.4


def leaning(tilt: float, people: Path | None = None) -> tuple[Grey, list[Box]]:
    """People who lean so far, each about the middle of the face; drawn ones without portraits."""
    frame = next(FilmPlan("still", 6, 1, people).shots(2, 1))
    heads = [face.box for face in frame.faces]
    picture = frame.grey.copy()
    for box in heads:
        x, y, side = box.x - box.width // 2, box.y - box.height // 2, 2 * box.width
        part = frame.grey[y : y + side, x : x + side]
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), tilt, 1)
        cv2.warpAffine(part, turn, (side, side), picture[y : y + side, x : x + side])
    return picture, heads


@pytest.mark.parametrize("tilt", [-28, 28])
def test_a_head_that_leans_is_found(tilt: float) -> None:
    search = HaarSearch(1.1, 2, 24, has_classifier=True)
    picture, heads = leaning(tilt)
    hits = [search.recheck(picture, box) for box in heads]
    assert all(one and overlap(one, box) > 0.5 for one, box in zip(hits, heads, strict=True))


@pytest.mark.parametrize("tilt", [-28, 28])
def test_a_head_is_found_leaning_the_way_it_leans(tilt: float, data: Path) -> None:
    """Real people: drawn faces are alike enough when turned either way."""
    search = HaarSearch(1.1, 2, 24, has_classifier=True)
    picture, heads = leaning(tilt, data / "faces_london")
    hits = [search.recheck(picture, box) for box in heads]
    assert all(one and overlap(one, box) > 0.5 for one, box in zip(hits, heads, strict=True))
    assert {one.tilt for one in hits if one} - {0.0} == {math.copysign(22, tilt)}


@pytest.mark.parametrize("tilt", [-28, -12, 12, 28])
def test_a_head_that_leans_is_read_upright(tilt: float) -> None:
    straight, heads = leaning(0)
    picture, _ = leaning(tilt)
    for box in heads:
        upright = crop(straight, box, 0, 48).astype(float)
        upright_face, as_it_is = (
            np.abs(crop(picture, box._replace(tilt=angle), 0, 48) - upright).mean()
            for angle in (tilt, 0)
        )
        assert upright_face < as_it_is / 2


def test_a_patch_at_the_edge_of_the_picture() -> None:
    search = HaarSearch(1.1, 2, 24, has_classifier=False)
    black = np.zeros((200, 200), np.uint8)
    for box in (Box(-20, -20, 50, 50), Box(180, 180, 60, 60), Box(300, 0, 30, 30)):
        assert search.recheck(black, box) is None
        assert not search.confirms(black, box)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (None, r"'faces\.model' is missing: run `roommood model fetch yunet"),
        ("missing.onnx", r"missing\.onnx: no such file: run `roommood model fetch yunet"),
        ("nonsense.onnx", r"nonsense\.onnx: not a YuNet model"),
    ],
)
def test_a_yunet_that_cannot_be_had_is_named(model: str | None, words: str, tmp_path: Path) -> None:
    (tmp_path / "nonsense.onnx").write_bytes(b"nonsense")
    settings = FacesSettings(detector="yunet", model=tmp_path / model if model else None)
    with pytest.raises(UserError, match=words):
        room(settings, None, Layout())
