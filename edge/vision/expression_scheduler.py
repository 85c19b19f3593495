"""Decides whose expression is read in a frame: new faces at once, the others in turn.

An expression lasts for seconds, so that nobody's is read in every frame: the reading of a seat
stays as it was last made, within the window.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from edge.camera.base import Grey
from edge.vision.emotion import Expressions
from edge.vision.seats import Face
from edge.window.reading import FaceReading

FRESH = 4
"""Frames for which a reading is believed: two seconds, by default."""

FEWEST = 1
"""Faces that are read again in each frame, however slow the machine."""

SMOOTHING = 0.2
"""Weight of the newest measurement of how long a face takes."""


class ExpressionScheduler:
    """Readings by seat; `budget_ms` of a frame go to faces that were read before."""

    def __init__(self, expressions: Expressions, budget_ms: float) -> None:
        self._expressions = expressions
        self._budget_ms = budget_ms
        self._ms_per_face = 0.0
        self._readings: dict[int, FaceReading] = {}
        self._read_at: dict[int, int] = {}
        self._frames = 0

    def readings(self, frame: Grey, faces: Sequence[Face]) -> tuple[list[FaceReading], list[int]]:
        """A reading for each face, and the seats of those that are no face."""
        self._frames += 1
        batch = self._choose(faces)
        non_faces: list[int] = []
        if batch:
            start = time.thread_time()
            read = self._expressions.read(frame, [face.box for face in batch])
            self._measure((time.thread_time() - start) * 1000 / len(batch))
            for face, reading in zip(batch, read, strict=True):
                if reading is None:
                    if face.seat not in self._readings:  # a face that was read is not gone at once
                        non_faces.append(face.seat)
                else:
                    self._readings[face.seat] = reading
                    self._read_at[face.seat] = self._frames
        return [self._readings[f.seat] for f in faces if f.seat not in non_faces], non_faces

    def forget(self) -> None:
        self._readings.clear()
        self._read_at.clear()

    def _choose(self, faces: Iterable[Face]) -> list[Face]:
        new = [face for face in faces if face.seat not in self._readings]
        stale_faces = [
            face
            for face in faces
            if face.has_motion
            and self._frames - self._read_at.get(face.seat, self._frames) >= FRESH
        ]
        stale_faces.sort(key=lambda face: self._read_at[face.seat])
        count = FEWEST
        if self._ms_per_face:
            count = max(FEWEST, int(self._budget_ms / self._ms_per_face) - len(new))
        return [*new, *stale_faces[:count]]

    def _measure(self, ms: float) -> None:
        before = self._ms_per_face or ms
        self._ms_per_face = before + SMOOTHING * (ms - before)
