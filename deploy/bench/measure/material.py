"""What is measured on: annotated pictures and films in a folder, and the simulated classroom."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.simulation import RATE, SimulatedCamera
from edge.common.errors import UserError
from edge.vision.faces import Box
from models.data.films import Film
from models.data.photographs import box_of, grey


class TrueFace(NamedTuple):
    """A true face; `emotion`, and who it is, where they are known."""

    box: Box
    emotion: str | None
    unsure: bool = False
    """Half hidden: neither missed nor wrongly found."""
    person: int | None = None


class MaterialFrame(NamedTuple):
    """A frame with its truth."""

    grey: NDArray[np.uint8]
    faces: list[TrueFace]


@dataclass(frozen=True)
class Source:
    """A film, or a picture, which is a film of one frame."""

    path: Path
    truth: list[list[TrueFace]]
    is_film: bool

    @property
    def has_emotions(self) -> bool:
        return any(face.emotion for faces in self.truth for face in faces)

    def shots(self, per_second: float, most: int) -> Iterator[MaterialFrame]:
        """Up to `most` frames, at so many per second; a film that is shorter begins anew."""
        if not self.is_film:
            yield MaterialFrame(grey(self.path), self.truth[0])
            return
        step = max(1, round(Film(self.path).rate / per_second))
        frames = (pair for _ in itertools.count() for pair in enumerate(Film(self.path)))
        pictures = (MaterialFrame(frame, self.truth[n]) for n, frame in frames if n % step == 0)
        yield from itertools.islice(pictures, most)


@dataclass(frozen=True)
class SimulatedSource:
    """The simulated classroom, whose faces' truth is known as counts alone."""

    seats: int = 24
    seed: int = 1
    path: Path = Path("sim")
    is_film: bool = True

    def shots(self, per_second: float, most: int) -> Iterator[MaterialFrame]:
        """Boxes are where the seats are; a seat that nobody looks up from has none."""
        camera = SimulatedCamera(self.seats, self.seed)
        for number in range(most):
            second = round((20 + number / per_second) * RATE) / RATE
            faces = [
                TrueFace(_about(seat.x, seat.y, seat.width), moment.expression, person=number)
                for number, (seat, moment) in enumerate(
                    zip(camera.classroom.seats, camera.classroom.at(second), strict=True)
                )
                if moment.pose == "facing"
            ]
            yield MaterialFrame(camera.grey(second), faces)

    @property
    def has_emotions(self) -> bool:
        return True


def _about(x: float, y: float, width: float) -> Box:
    return Box(round(x - width / 2), round(y - width / 2), round(width), round(width))


def sources(folder: Path) -> list[Source]:
    """Every picture and film of a folder that its `index.json` or a `*.truth.json` tells about.

    Raises UserError for a folder that has neither.
    """
    try:
        entries = [*_of_index(folder), *_of_truths(folder)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"its index.json is not valid ({error})", folder, "correct it, or choose another --set"
        ) from None
    if not entries:
        raise UserError(
            "no index.json with faces and no *.truth.json", folder, "choose another --set"
        )
    return entries


def _of_index(folder: Path) -> Iterator[Source]:
    index = folder / "index.json"
    if not index.exists():
        return
    for image in json.loads(index.read_text(encoding="utf-8"))["images"]:
        path = folder / image["file"]
        if "faces_per_frame" in image:
            yield Source(path, [_faces(boxes) for boxes in image["faces_per_frame"]], True)
        elif "faces" in image:
            yield Source(path, [_faces(image["faces"], image.get("emotion"))], False)
        elif image.get("people_visible") == 0 and _is_film(path):
            yield Source(path, [[]] * int(image["frames"]), True)


def _of_truths(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*.truth.json")):
        frames: list[list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
        truth = [[_face(face) for face in faces] for faces in frames]
        yield Source(path.with_name(path.name.replace(".truth.json", ".mp4")), truth, True)


def _face(face: dict[str, Any]) -> TrueFace:
    unsure = bool(face.get("unsure", False))
    return TrueFace(box_of(face["box"]), face["emotion"], unsure, face.get("slot"))


def _faces(boxes: list[list[float]], emotion: str | None = None) -> list[TrueFace]:
    return [TrueFace(box_of(box), emotion) for box in boxes]


def _is_film(path: Path) -> bool:
    return path.suffix.lower() in (".mp4", ".avi", ".mkv", ".webm")


def scale(frame: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """A frame as a camera of another resolution would give it."""
    size = round(frame.shape[1] * height / frame.shape[0]), height
    how = cv2.INTER_AREA if height < frame.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, size, interpolation=how), np.uint8)
