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

from deploy.bench.measure.figures import FrameCost, Sums
from deploy.bench.measure.films import FilmPlan
from deploy.bench.measure.material import SimulatedSource, Source, TrueFace
from deploy.bench.measure.score import Confirmation, Counts, Windows, typical
from edge.common.errors import UserError
from edge.config import FacesSettings
from edge.vision.emotion import Expressions
from edge.vision.faces import Box, HaarDetector
from edge.vision.forms import open_fast
from edge.vision.pack import Pack, open_pack
from edge.vision.pipeline import VisionPipeline, layout, room
from edge.window.disclosure import SteadyDisclosure
from edge.window.reading import UNREADABLE, FaceReading
from edge.window.tally import Tally

Material = Source | SimulatedSource | FilmPlan
Which = Literal["roommood", "reference"]


@dataclass(frozen=True)
class BenchSettings:
    """How to measure: as the agent's settings say."""

    faces: FacesSettings
    model: str
    per_second: float
    window_s: float
    most: int

    @property
    def per_window(self) -> int:
        """Frames."""
        return max(1, round(self.window_s * self.per_second))


class FaceRead(NamedTuple):
    """A face: its seat, its box, its reading."""

    seat: int
    box: Box
    reading: FaceReading


class AgentPipeline:
    """Seats and expressions, as in edge/agent.py."""

    def __init__(self, settings: BenchSettings) -> None:
        self._settings = settings
        self._expressions = Expressions.from_pack(*open_fast(settings.model))
        self._room: VisionPipeline | None = None
        self._seconds = 0.0

    def begin(self, is_film: bool) -> None:
        self._seconds = self.detecting
        place = layout(self._settings.faces)
        self._room = room(self._settings.faces, self._expressions, place, patient=not is_film)

    def look(self, frame: NDArray[np.uint8]) -> list[FaceRead]:
        assert self._room is not None  # `begin` comes first
        return [FaceRead(face.seat, face.box, reading) for reading, face in self._room.faces(frame)]

    @property
    def detecting(self) -> float:
        return self._seconds + (self._room.detecting if self._room else 0.0)

    def forget(self) -> None:
        assert self._room is not None
        self._room.forget()


class ReferencePipeline:
    """Haar at 1.1, 5, 30 on the whole frame; every face of every frame read, one at a time."""

    def __init__(self, settings: BenchSettings) -> None:
        self._haar = HaarDetector()
        self._expressions = Expressions.from_pack(*open_fast(settings.model))
        self.detecting = 0.0

    def begin(self, is_film: bool) -> None:
        pass

    def look(self, frame: NDArray[np.uint8]) -> list[FaceRead]:
        start = time.process_time()
        boxes = self._haar.find(frame)
        self.detecting += time.process_time() - start
        # What is no face is one to the reference, which has nobody to ask.
        readings = [self._expressions.read(frame, [box])[0] or UNREADABLE for box in boxes]
        return [
            FaceRead(n, box, reading)
            for n, (box, reading) in enumerate(zip(boxes, readings, strict=True))
        ]

    def forget(self) -> None:
        pass


class _Errors:
    """The counts of a window, as told and as counted, against the truth."""

    def __init__(self, which: Which, pack: Pack) -> None:
        self._which, self._pack = which, pack
        self._control = SteadyDisclosure()
        self._begin()

    def _begin(self) -> None:
        self._tally = Tally(self._pack.labels, self._pack.point().usual)
        self._true = Counts()
        self._sums: Counter[str] = Counter()
        self._numbers: list[int] = []

    def add(self, readings: list[FaceReading], faces: list[TrueFace]) -> None:
        self._tally.add(readings)
        self._sums.update(reading.label for reading in readings)
        self._numbers.append(len(readings))
        self._true.add(faces)

    def close(self) -> tuple[list[float], list[float]]:
        """The end of a window: the error of what is published, and of what is counted.

        Where nothing may be published of it, nothing is published wrongly.
        """
        errors: tuple[list[float], list[float]] = ([], [])
        mean = typical(self._sums, self._numbers)
        ours = self._which == "roommood"
        estimate = self._tally.typical() if ours else mean
        disclosure = self._control.decide(self._tally).counts if ours else mean
        for counts, of in zip((disclosure, estimate), errors, strict=True):
            error = self._true.error(counts) if counts is not None else None
            if error is not None:
                of.append(error)
        self._begin()
        return errors


def measure(which: Which, material: Sequence[Material], settings: BenchSettings) -> dict[str, Any]:
    """All figures of one pipeline over the material; one thread, memory of this whole process.

    `minutes` has those of each minute, all films together; `films` those of each film.
    """
    cv2.setNumThreads(1)
    pipeline: AgentPipeline | ReferencePipeline = (
        AgentPipeline(settings) if which == "roommood" else ReferencePipeline(settings)
    )
    total, minutes, films = Sums(), [Sums()], list[dict[str, Any]]()
    for source in material:
        film, own = Sums(), [Sums()]
        errors, windows = _Errors(which, open_pack(settings.model)[0]), Windows()
        pipeline.begin(source.is_film)
        for number, picture in enumerate(source.shots(settings.per_second, settings.most)):
            minute = int(number / settings.per_second / 60) if source.is_film else 0
            for of_minutes in (minutes, own):
                of_minutes += [Sums() for _ in range(minute + 1 - len(of_minutes))]
            sums = (total, film, minutes[minute], own[minute])
            faces, cost = _time(pipeline, picture.grey.copy())
            boxes = [one.box for one in faces]
            for one in sums:
                owners = one.add(boxes, picture.faces, cost)
            windows.add(boxes, picture.faces, owners)
            errors.add([one.reading for one in faces], picture.faces)
            if (number + 1) % settings.per_window == 0 or not source.is_film:
                pipeline.forget()
                # In a picture nothing can be confirmed.
                confirmation = windows.close() if source.is_film else Confirmation()
                disclosure_errors, count_errors = errors.close()
                for one in sums:
                    one.close(confirmation, disclosure_errors, count_errors)
        if source.is_film:
            films.append({"film": source.path.name, **_figures(film, own, settings)})
    if not total.frames.frames:
        raise UserError("no frame could be read", "--set", "choose another folder")
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**_figures(total, minutes, settings), "rss_mb": rss_mb, "films": films}


def _time(
    pipeline: AgentPipeline | ReferencePipeline, grey: NDArray[np.uint8]
) -> tuple[list[FaceRead], FrameCost]:
    detecting = pipeline.detecting
    wall_start, cpu_start = time.perf_counter(), time.process_time()
    faces = pipeline.look(grey)
    wall, cpu = time.perf_counter() - wall_start, time.process_time() - cpu_start
    return faces, FrameCost(wall, cpu, pipeline.detecting - detecting)


def _figures(sums: Sums, minutes: Sequence[Sums], settings: BenchSettings) -> dict[str, Any]:
    of_minutes = [one.figures(settings.per_second) for one in minutes if one.frames.frames]
    return {**sums.figures(settings.per_second), "minutes": of_minutes}
