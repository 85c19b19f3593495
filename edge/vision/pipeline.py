"""From a frame to readings of the faces in it: seats, then expressions where they may be read."""

from __future__ import annotations

import time

from edge.camera.base import Grey
from edge.config import FacesSettings
from edge.vision.detectors import search
from edge.vision.emotion import Expressions
from edge.vision.expression_scheduler import ExpressionScheduler
from edge.vision.layout import Layout, Row
from edge.vision.seats import Face, Seats
from edge.window.reading import FaceReading

FACE = "face"
"""What every face counts as where no expression is read."""

UNREAD = FaceReading(FACE)


class VisionPipeline:
    """Frames of one room in order; `forget` between windows, and when the camera is closed."""

    def __init__(self, seats: Seats, reading: ExpressionScheduler | None) -> None:
        self._seats, self._reading = seats, reading
        self.detecting = 0.0
        """Seconds of this thread's processor time that finding faces took, not reading them."""

    def look(self, frame: Grey) -> list[FaceReading]:
        """A reading for each face in view; UNREAD ones without a model."""
        return [reading for reading, _ in self.faces(frame)]

    def faces(self, frame: Grey) -> list[tuple[FaceReading, Face]]:
        """The same, with the place of each; for measuring, and never for the agent."""
        start = time.thread_time()
        candidates = self._seats.find(frame)
        self.detecting += time.thread_time() - start
        if self._reading is None:
            return [(UNREAD, face) for face in candidates]
        readings, non_faces = self._reading.readings(frame, candidates)
        faces = [face for face in candidates if face.seat not in non_faces]
        self._seats.judge((face.seat for face in faces), non_faces)
        return list(zip(readings, faces, strict=True))

    def forget(self) -> None:
        self._seats.forget()
        if self._reading is not None:
            self._reading.forget()

    def wipe(self) -> None:
        """For when the camera is closed: what detector and model hold of the last frame is gone."""
        self.forget()
        self._seats.wipe()


def room(
    settings: FacesSettings,
    expressions: Expressions | None,
    layout: Layout,
    *,
    patient: bool = False,
) -> VisionPipeline:
    """All of it, from the settings; raises UserError for a detector that cannot be had."""
    seats = Seats(
        search(settings, has_classifier=expressions is not None),
        layout,
        settings.min_size,
        patient=patient,
    )
    return VisionPipeline(
        seats, ExpressionScheduler(expressions, settings.read_ms) if expressions else None
    )


def layout(settings: FacesSettings) -> Layout:
    return Layout([Row(*row) for row in settings.rows], settings.blank)
