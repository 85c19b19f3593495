"""Seats, layout and motion, with a search whose answers are written down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.camera.base import Grey
from edge.vision.faces import Box
from edge.vision.layout import FORGET_AFTER, Layout, Row, Strip
from edge.vision.motion import Area, Motion, join
from edge.vision.seat import BRIDGE_FRAMES, CERTAIN, WRONG
from edge.vision.seats import FIRST_SEARCHES, WIDE_EVERY, Face, Seats

LEFT, RIGHT = Box(100, 200, 60, 60), Box(400, 200, 60, 60)


class ScriptDetector:
    """Finds what it is told to; remembers how it was asked."""

    every = 4
    learns_soon = False

    def __init__(self, *there: Box) -> None:
        self.there = list(there)
        self.calls: list[str] = []

    def _search(self, name: str) -> list[Box]:
        self.calls.append(name)
        return list(self.there)

    def thorough(self, frame: Grey) -> list[Box]:
        return self._search("thorough")

    def coarse(self, frame: Grey) -> list[Box]:
        return self._search("coarse")

    def wide(self, frame: Grey) -> list[Box]:
        return self._search("wide")

    def quick(self, frame: Grey, strips: Sequence[Strip]) -> list[Box]:
        return self._search("quick")

    def moving(self, frame: Grey, areas: Sequence[Area], smallest: Sequence[int]) -> list[Box]:
        self.areas = list(areas)
        return self._search("moving")

    def least_moving(self, height: int) -> int:
        return 30

    def recheck(self, frame: Grey, box: Box, *, closely: bool = True) -> Box | None:
        self.calls.append("again")
        return next((one for one in self.there if abs(one.x - box.x) < 30), None)

    def confirms(self, frame: Grey, box: Box) -> bool:
        return True

    def wipe(self, shape: tuple[int, int]) -> None:
        self.calls.append(f"wipe {shape}")


def frame(seed: int = 0) -> Grey:
    """Noise: everything moves."""
    return np.random.default_rng(seed).integers(0, 256, (720, 1280), np.uint8)


def noise_frame(seed: int) -> Grey:
    """Coarse noise: everything is another than before."""
    coarse = np.random.default_rng(seed).integers(0, 256, (90, 160), np.uint8)
    return np.asarray(np.kron(coarse, np.ones((8, 8), np.uint8)), np.uint8)


def boxes(faces: list[Face]) -> list[Box]:
    return [face.box for face in faces]


def test_a_face_is_searched_once_and_looked_at_from_then_on() -> None:
    search = ScriptDetector(LEFT, RIGHT)
    seats = Seats(search, Layout(), 24)
    for number in range(4):
        assert boxes(seats.find(frame(number))) == [LEFT, RIGHT]
    assert search.calls == ["coarse", "wide", "again", "again", "moving", "wide"]


def test_who_comes_where_nothing_moves_is_found_by_the_next_search() -> None:
    search = ScriptDetector(LEFT)
    seats = Seats(search, Layout(), 24)
    still = frame()
    seats.find(still.copy())
    seats.find(still.copy())
    search.there.append(RIGHT)
    assert boxes(seats.find(still.copy())) == [LEFT]
    assert boxes(seats.find(still.copy())) == [LEFT, RIGHT]


def test_who_comes_where_something_moves_is_found_at_once() -> None:
    search = ScriptDetector(LEFT)
    search.every = 99
    seats = Seats(search, Layout(), 24)
    still = frame()
    for _ in range(FIRST_SEARCHES):
        seats.find(still.copy())
    search.there.append(RIGHT)
    still[200:260, 400:460] = 255
    assert boxes(seats.find(still)) == [LEFT, RIGHT]
    (area,) = search.areas
    assert area.left <= 400
    assert area.right >= 460
    assert area.left > LEFT.x + LEFT.width  # not where nothing has changed


def test_who_walks_stays_one_seat() -> None:
    search = ScriptDetector(LEFT)
    search.every = 99
    seats = Seats(search, Layout(), 24)
    numbers = set()
    for number in range(5):
        search.there = [LEFT._replace(x=100 + 150 * number)]
        detections = seats.find(noise_frame(number))
        assert boxes(detections) == search.there
        numbers |= {face.seat for face in detections}
    assert len(numbers) == 1


def test_who_has_walked_is_not_bridged_and_leaves_no_place() -> None:
    search, layout = ScriptDetector(LEFT), Layout()
    search.every = 99
    seats = Seats(search, layout, 24)
    for number in range(5):
        search.there = [LEFT._replace(x=100 + 150 * number)]
        seats.find(noise_frame(number))
    search.there = []
    assert seats.find(noise_frame(9)) == []
    seats.forget()
    assert layout.places == []


def test_nobody_is_bridged_where_the_picture_has_changed() -> None:
    search = ScriptDetector(LEFT)
    search.every = 99
    seats = Seats(search, Layout(), 24)
    still = frame()
    for _ in range(CERTAIN + 1):
        seats.find(still.copy())
    search.there.clear()
    half = still.copy()
    half[200:260, 100:125] = 255
    assert len(seats.find(half)) == 1  # a hand before the face
    assert seats.find(noise_frame(5)) == []


def test_a_certain_face_survives_missed_looks_and_no_more() -> None:
    search = ScriptDetector(LEFT)
    seats = Seats(search, Layout(), 24)
    still = frame()
    for _ in range(CERTAIN):
        seats.find(still.copy())
    search.there.clear()
    search.every = 99
    counts = []
    for number in range(BRIDGE_FRAMES + 3):
        still[200:260, 100:124] = 255 * (number % 2)
        counts.append(len(seats.find(still.copy())))
    assert counts == [1] * BRIDGE_FRAMES + [0] * 3


def test_who_sways_a_little_is_looked_at_in_every_other_frame() -> None:
    search = ScriptDetector(LEFT)
    seats = Seats(search, Layout(), 24)
    still = frame()
    for _ in range(CERTAIN + 1):
        seats.find(still.copy())
    search.every = 99
    search.calls.clear()
    for number in range(6):
        still[200:225, 100:120] = 255 * (number % 2)
        assert boxes(seats.find(still.copy())) == [LEFT]
    assert search.calls.count("again") == 3


def test_a_face_that_was_found_once_is_not_bridged() -> None:
    search = ScriptDetector(LEFT)
    seats = Seats(search, Layout(), 24)
    assert len(seats.find(frame(0))) == 1
    search.there.clear()
    assert seats.find(frame(1)) == []


def test_where_nothing_moves_nobody_looks() -> None:
    search = ScriptDetector(LEFT)
    seats = Seats(search, Layout(), 24)
    still = frame()
    for _ in range(4):
        seats.find(still.copy())
    search.calls.clear()
    search.there.clear()
    search.every = 99
    assert boxes(seats.find(still.copy())) == [LEFT]
    assert search.calls == []


def test_a_seat_that_is_no_face_is_left() -> None:
    search = ScriptDetector(LEFT, RIGHT)
    seats = Seats(search, Layout(), 24)
    left, right = seats.find(frame(0))
    for _ in range(WRONG):
        seats.judge([left.seat], [right.seat])
    assert boxes(seats.find(frame(1))) == [LEFT]


def test_one_that_was_a_face_is_not_left_for_one_bad_crop() -> None:
    seats = Seats(ScriptDetector(LEFT), Layout(), 24)
    (face,) = seats.find(frame(0))
    seats.judge([face.seat], [])
    for _ in range(WRONG + 1):
        seats.judge([], [face.seat])
    assert boxes(seats.find(frame(1))) == [LEFT]


def test_nothing_but_sizes_and_places_outlives_a_window() -> None:
    layout = Layout()
    search = ScriptDetector(LEFT)
    seats = Seats(search, layout, 24)
    numbers = {face.seat for n in range(4) for face in seats.find(frame(n))}
    seats.forget()
    assert seats._seats == []
    assert seats._motion._before is None
    assert layout.places == [LEFT]
    assert [(row.smallest, row.largest) for row in layout.rows] == []  # one window is not enough
    recheck = {face.seat for face in seats.find(frame(9))}
    assert not numbers & recheck


def test_a_place_is_looked_at_where_a_search_finds_nobody() -> None:
    layout = Layout()
    layout.learn([LEFT], 720)
    search = ScriptDetector()
    seats = Seats(search, layout, 24)
    assert seats.find(frame(0)) == []
    assert search.calls == ["coarse", "again"]
    search.there.append(LEFT)
    search.every = 99
    seats.find(frame(1))
    assert boxes(seats.find(frame(2))) == [LEFT]


def test_wiping_reaches_the_detector() -> None:
    search = ScriptDetector(LEFT)
    seats = Seats(search, Layout(), 24)
    seats.wipe()
    assert search.calls == []  # nothing was seen yet
    seats.find(frame())
    seats.wipe()
    assert search.calls[-1] == "wipe (720, 1280)"


def test_searches_are_wide_now_and_then() -> None:
    search = ScriptDetector(LEFT)
    search.every = 1
    seats = Seats(search, Layout([Row(0, 1, 0.05, 0.1)]), 24)
    for number in range(2 * WIDE_EVERY + 2):
        seats.find(frame(number))
    searches = [name for name in search.calls if name != "again"]
    assert searches[:3] == ["coarse", "wide", "quick"]
    assert [n for n, name in enumerate(searches) if name == "wide"] == [1, 1 + WIDE_EVERY, 17]


def test_a_patient_search_of_the_first_frame() -> None:
    search = ScriptDetector(LEFT)
    Seats(search, Layout(), 24, patient=True).find(frame())
    assert search.calls == ["thorough"]


# Layout


def test_sizes_are_learnt_by_height() -> None:
    layout = Layout()
    assert layout.strips(720, 24) == []
    for _ in range(3):
        layout.learn([Box(50, 180, 40, 40), Box(600, 500, 90, 90)], 720)
    far, near = layout.strips(720, 24)
    assert far.smallest == 32
    assert 50 <= far.largest <= 53
    assert far.top <= 180
    assert 220 <= far.bottom < 500
    assert near.smallest == 72
    assert near.top < 500
    assert near.bottom > 590


def test_neighbouring_rows_of_like_sizes_are_one_strip() -> None:
    layout = Layout([Row(0.2, 0.5, 0.06, 0.08)])
    assert len(layout.strips(720, 24)) == 1


def test_a_place_that_stays_empty_is_forgotten() -> None:
    layout = Layout()
    layout.learn([LEFT, RIGHT], 720)
    for _ in range(FORGET_AFTER):
        layout.learn([RIGHT], 720)
    assert layout.places == [RIGHT]


def test_a_place_moves_slowly() -> None:
    layout = Layout()
    layout.learn([LEFT], 720)
    layout.learn([LEFT._replace(x=120)], 720)
    assert layout.places == [LEFT._replace(x=106)]


def test_nobody_looks_at_a_blank_zone() -> None:
    image = np.full((100, 200), 9, np.uint8)
    Layout(blank=[(0.5, 0, 0.5, 0.3)]).blank(image)
    assert (image[:30, 100:] == 0).all()
    assert (image[32:] == 9).all()
    assert (image[:, :100] == 9).all()


# Motion


def test_areas_are_where_something_moves_and_nobody_is_known() -> None:
    motion = Motion()
    first = frame()
    motion.update(first)
    assert motion.areas([]) == []  # nothing to compare with
    second = first.copy()
    second[200:260, 100:160] = 255
    second[200:260, 400:460] = 255
    motion.update(second)
    assert len(motion.areas([])) == 2
    (area,) = motion.areas([LEFT])
    assert area.left <= 400
    assert area.right >= 460


def test_areas_that_meet_are_one() -> None:
    assert join([Area(0, 0, 10, 10), Area(20, 0, 30, 10), Area(5, 5, 25, 8)]) == [
        Area(0, 0, 30, 10)
    ]


def test_motion_is_where_the_picture_changed() -> None:
    motion = Motion()
    first = frame()
    motion.update(first)
    assert motion.in_box(LEFT)  # nothing to compare with: look
    second = first.copy()
    second[210:250, 110:150] = 255
    motion.update(second)
    assert motion.in_box(LEFT)
    assert not motion.in_box(RIGHT)


def test_a_sensor_s_noise_is_no_motion() -> None:
    motion = Motion()
    rng = np.random.default_rng(1)
    still = np.full((720, 1280), 120.0)
    for _ in range(2):
        motion.update((still + rng.normal(0, 8, still.shape)).clip(0, 255).astype(np.uint8))
    assert not motion.in_box(LEFT)
