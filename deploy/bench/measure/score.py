"""What was found against what is there: by frame, by window, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from deploy.bench.measure.material import TrueFace
from edge.protocol.counts import apportion
from edge.vision.faces import Box, is_near, overlap
from models.data.photographs import MATCH_OVERLAP

SAME_FACE = 0.2
"""A true box that shares so much with one of the frame before is of the same person."""

LEAST_FRAMES = 2
"""Frames of a window in which a face has to have been found before it counts for it."""


@dataclass
class Frames:
    """Frame by frame: a face counts as found where boxes share FOUND of what they cover.

    What is half hidden is neither missed nor wrongly found.
    """

    frames: int = 0
    true: int = 0
    detections: int = 0
    right: int = 0

    def add(self, boxes: Sequence[Box], faces: Sequence[TrueFace]) -> list[int | None]:
        """For each box the number of the face that it is of, or None."""
        matches: set[int] = set()
        owners: list[int | None] = []
        for box in boxes:
            shares = [(overlap(box, f.box), n) for n, f in enumerate(faces) if n not in matches]
            best, number = max(shares, default=(0.0, -1))
            owners.append(number if best >= MATCH_OVERLAP else None)
            if best >= MATCH_OVERLAP:
                matches.add(number)
        unsure = sum(faces[number].unsure for number in matches)
        self.frames += 1
        self.true += sum(not face.unsure for face in faces)
        self.detections += len(boxes) - unsure
        self.right += len(matches) - unsure
        return owners

    @property
    def recall(self) -> float | None:
        return self.right / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        return self.right / self.detections if self.detections else None


@dataclass
class _Track:
    """A person of the truth, or something that was taken for a face, through one window."""

    box: Box
    person: int | None = None
    frames_in_view: int = 0
    detections: int = 0


class Confirmation(NamedTuple):
    """People of a window, and how many were found; what was found, and how much was somebody."""

    true: int = 0
    right: int = 0
    detections: int = 0
    somebody: int = 0


@dataclass
class Windows:
    """Window by window, by one rule for every detector, whatever it says of who is who.

    Of the people seen in CONFIRMED frames of it, how many were found in as many; and of all that
    was found in so many frames at about the same place, or of the same person, how much was
    somebody.
    """

    _people: list[_Track] = field(default_factory=list)
    _nobody: list[_Track] = field(default_factory=list)

    def add(
        self, boxes: Sequence[Box], faces: Sequence[TrueFace], owners: Sequence[int | None]
    ) -> None:
        """One frame; `owners` as Frames.add tells them."""
        matches = set(owners)
        for number, face in enumerate(faces):
            person = self._person(face)
            person.box = face.box
            person.frames_in_view += not face.unsure
            person.detections += number in matches
        for box, owner in zip(boxes, owners, strict=True):
            if owner is None:
                track = next((one for one in self._nobody if is_near(one.box, box)), None)
                if track is None:
                    track = _Track(box)
                    self._nobody.append(track)
                track.box = box
                track.detections += 1

    def _person(self, face: TrueFace) -> _Track:
        """Who it is, as the truth says, or by where somebody was in the frame before."""
        if face.person is not None:
            track = next((one for one in self._people if one.person == face.person), None)
        else:
            track = max(self._people, key=lambda one: overlap(one.box, face.box), default=None)
            if track is not None and overlap(track.box, face.box) < SAME_FACE:
                track = None
        if track is None:
            track = _Track(face.box, face.person)
            self._people.append(track)
        return track

    def close(self) -> Confirmation:
        """The end of a window, and what there was in it."""
        there = [one for one in self._people if one.frames_in_view >= LEAST_FRAMES]
        somebody = sum(one.detections >= LEAST_FRAMES for one in self._people)
        nobody = sum(one.detections >= LEAST_FRAMES for one in self._nobody)
        self._people, self._nobody = [], []
        right = sum(one.detections >= LEAST_FRAMES for one in there)
        return Confirmation(len(there), right, somebody + nobody, somebody)


class Counts:
    """A window's true counts, as means over its frames."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()
        self._frames = 0

    def add(self, faces: Sequence[TrueFace]) -> None:
        self._sums.update(f.emotion for f in faces if f.emotion and not f.unsure)
        self._frames += 1

    def error(self, counts: dict[str, int]) -> float | None:
        """Half the L1 distance to what was told, divided by the true number of faces."""
        if not self._frames or not self._sums:
            return None
        true = {name: total / self._frames for name, total in self._sums.items()}
        names = true.keys() | counts.keys()
        apart = sum(abs(true.get(name, 0) - counts.get(name, 0)) for name in names)
        return apart / 2 / sum(true.values())


def typical(sums: Counter[str], faces: Sequence[int]) -> dict[str, int]:
    """Counts of a window by the reference: means, as whole numbers."""
    return apportion(sums, round(sum(faces) / len(faces))) if faces else {}
