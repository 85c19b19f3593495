"""The two that are compared: roommood as an agent runs it, and the reference settings.

Each is to run in a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.measure.material import Face, Simulated, Source
from deploy.measure.score import Counts, Frames, Windows, typical
from edge.common.errors import Refusal
from edge.config import FacesSettings
from edge.protocol.messages import UNCERTAIN
from edge.vision.emotion import Expressions
from edge.vision.faces import Box, HaarDetector
from edge.vision.pack import open_pack
from edge.vision.pipeline import Room, layout, room
from edge.window.disclosure import Steady
from edge.window.tally import Tally

Material = Source | Simulated
Which = Literal["roommood", "reference"]


@dataclass(frozen=True)
class Asked:
    """How to measure: as the agent's settings say."""

    faces: FacesSettings
    model: str
    per_second: float
    window_s: float
    most: int


class Found(NamedTuple):
    """A face: its seat, its box, its label."""

    seat: int
    box: Box
    label: str


class Ours:
    """Seats and expressions, as in edge/agent.py."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._expressions = Expressions.from_pack(*open_pack(asked.model))
        self._room: Room | None = None
        self._seconds = 0.0

    def begin(self, is_film: bool) -> None:
        self._seconds = self.detecting
        place = layout(self._asked.faces)
        self._room = room(self._asked.faces, self._expressions, place, patient=not is_film)

    def look(self, frame: NDArray[np.uint8]) -> list[Found]:
        assert self._room is not None  # `begin` comes first
        return [Found(face.seat, face.box, label) for label, face in self._room.faces(frame)]

    @property
    def detecting(self) -> float:
        return self._seconds + (self._room.detecting if self._room else 0.0)

    def forget(self) -> None:
        assert self._room is not None
        self._room.forget()


class Reference:
    """Haar at 1.1, 5, 30 on the whole frame; every face of every frame read, one at a time."""

    def __init__(self, asked: Asked) -> None:
        self._haar = HaarDetector()
        self._expressions = Expressions.from_pack(*open_pack(asked.model))
        self.detecting = 0.0

    def begin(self, is_film: bool) -> None:
        pass

    def look(self, frame: NDArray[np.uint8]) -> list[Found]:
        begun = time.process_time()
        boxes = self._haar.find(frame)
        self.detecting += time.process_time() - begun
        # What is no face is one to the reference, which has nobody to ask.
        labels = [self._expressions.read(frame, [box])[0] or UNCERTAIN for box in boxes]
        return [
            Found(n, box, label) for n, (box, label) in enumerate(zip(boxes, labels, strict=True))
        ]

    def forget(self) -> None:
        pass


class _Errors:
    """The counts of a window, as told and as counted, against the truth."""

    def __init__(self, which: Which, labels: tuple[str, ...]) -> None:
        self._which, self._labels = which, labels
        self._control = Steady()
        self.told: list[float] = []
        self.counted: list[float] = []
        self._begin()

    def _begin(self) -> None:
        self._tally, self._true = Tally(self._labels), Counts()
        self._sums: Counter[str] = Counter()
        self._numbers: list[int] = []

    def add(self, labels: list[str], faces: list[Face]) -> None:
        self._tally.add(labels)
        self._sums.update(labels)
        self._numbers.append(len(labels))
        self._true.add(faces)

    def close(self) -> None:
        """The end of a window; where nothing may be told of it, nothing is told wrongly."""
        mean = typical(self._sums, self._numbers)
        ours = self._which == "roommood"
        counted = self._tally.typical() if ours else mean
        told = self._control.tell(self._tally).counts if ours else mean
        for counts, errors in ((told, self.told), (counted, self.counted)):
            error = self._true.error(counts) if counts is not None else None
            if error is not None:
                errors.append(error)
        self._begin()


def measured(which: Which, material: Sequence[Material], asked: Asked) -> dict[str, Any]:
    """All figures of one pipeline over the material; one thread, memory of this whole process."""
    cv2.setNumThreads(1)
    pipeline: Ours | Reference = Ours(asked) if which == "roommood" else Reference(asked)
    labels = (*open_pack(asked.model)[0].labels, UNCERTAIN)
    frames, windows, wall, cpu = Frames(), Windows(), 0.0, 0.0
    told: list[float] = []
    counted: list[float] = []
    per_window = max(1, round(asked.window_s * asked.per_second))
    for source in material:
        pipeline.begin(source.is_film)
        errors = _Errors(which, labels)
        for number, shot in enumerate(source.shots(asked.per_second, asked.most), start=1):
            grey = shot.grey.copy()
            begun, spent = time.perf_counter(), time.process_time()
            found = pipeline.look(grey)
            wall += time.perf_counter() - begun
            cpu += time.process_time() - spent
            frames.add([one.box for one in found], shot.faces)
            if source.is_film:  # in a picture nothing can be confirmed
                windows.add([(one.seat, one.box) for one in found], shot.faces)
            errors.add([one.label for one in found], shot.faces)
            if number % per_window == 0 or not source.is_film:
                pipeline.forget()
                windows.close()
                errors.close()
        told += errors.told
        counted += errors.counted
    if not frames.frames:
        raise Refusal("--set: no frame could be read: give another folder")
    return {
        "frames": frames.frames,
        "recall": frames.recall,
        "precision": frames.precision,
        "false_per_frame": (frames.found - frames.right) / frames.frames,
        "window_recall": _share(windows.right, windows.true),
        "window_precision": _share(windows.confirmed_right, windows.confirmed),
        "ms_per_frame": 1000 * wall / frames.frames,
        "cpu_ms_per_frame": 1000 * cpu / frames.frames,
        "cpu_s_per_room_hour": 3600 * asked.per_second * cpu / frames.frames,
        "detector_cpu_ms_per_frame": 1000 * pipeline.detecting / frames.frames,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "count_error": _share(sum(told), len(told)),
        "count_error_counted": _share(sum(counted), len(counted)),
    }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
