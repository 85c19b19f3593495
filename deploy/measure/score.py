"""What was found against what is there: by frame, by window, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from deploy.measure.material import Face
from edge.protocol.counts import apportion
from edge.vision.faces import Box, overlap
from models.photographs import FOUND

SAME_FACE = 0.2
"""A true box that shares so much with one of the frame before is of the same person."""

CONFIRMED = 2
"""Frames in which a face has to have been found before it counts for its window."""


@dataclass
class Frames:
    """Frame by frame: a face counts as found where boxes share FOUND of what they cover."""

    frames: int = 0
    true: int = 0
    found: int = 0
    right: int = 0

    def add(self, boxes: Sequence[Box], faces: Sequence[Face]) -> None:
        taken: set[int] = set()
        for box in boxes:
            shares = [(overlap(box, f.box), n) for n, f in enumerate(faces) if n not in taken]
            best, number = max(shares, default=(0.0, -1))
            if best >= FOUND:
                taken.add(number)
        self.frames += 1
        self.true += len(faces)
        self.found += len(boxes)
        self.right += len(taken)

    @property
    def recall(self) -> float | None:
        return self.right / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        return self.right / self.found if self.found else None


@dataclass
class _Person:
    box: Box
    seats: set[int] = field(default_factory=set)


@dataclass
class Windows:
    """Window by window: of the people seen in it, how many were found at least once, and confirmed;
    of the faces confirmed in it, how many ever were somebody's."""

    true: int = 0
    right: int = 0
    confirmed: int = 0
    confirmed_right: int = 0
    _people: list[_Person] = field(default_factory=list)
    _seen: Counter[int] = field(default_factory=Counter)
    _somebody: set[int] = field(default_factory=set)

    def add(self, found: Sequence[tuple[int, Box]], faces: Sequence[Face]) -> None:
        """One frame: seats' numbers with their boxes."""
        self._seen.update(seat for seat, _ in found)
        for face in faces:
            person = max(self._people, key=lambda one: overlap(one.box, face.box), default=None)
            if person is None or overlap(person.box, face.box) < SAME_FACE:
                person = _Person(face.box)
                self._people.append(person)
            person.box = face.box
            for seat, box in found:
                if overlap(box, face.box) >= FOUND:
                    person.seats.add(seat)
                    self._somebody.add(seat)

    def close(self) -> None:
        """The end of a window."""
        sure = {seat for seat, times in self._seen.items() if times >= CONFIRMED}
        self.true += len(self._people)
        self.right += sum(bool(person.seats & sure) for person in self._people)
        self.confirmed += len(sure)
        self.confirmed_right += len(sure & self._somebody)
        self._people, self._seen, self._somebody = [], Counter(), set()


class Counts:
    """A window's true counts, as means over its frames."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()
        self._frames = 0

    def add(self, faces: Sequence[Face]) -> None:
        self._sums.update(face.emotion for face in faces if face.emotion)
        self._frames += 1

    def error(self, told: dict[str, int]) -> float | None:
        """Half the L1 distance to what was told, divided by the true number of faces."""
        if not self._frames or not self._sums:
            return None
        true = {name: total / self._frames for name, total in self._sums.items()}
        names = true.keys() | told.keys()
        apart = sum(abs(true.get(name, 0) - told.get(name, 0)) for name in names)
        return apart / 2 / sum(true.values())


def typical(sums: Counter[str], faces: Sequence[int]) -> dict[str, int]:
    """Counts of a window by the reference: means, as whole numbers."""
    return apportion(sums, round(sum(faces) / len(faces))) if faces else {}
