"""Follows the faces of a room through one window: pupils sit, and the camera does not move.

A search finds them; after that a small look at each place, where something has moved, tells
whether a face is still there. Now and then the room is searched again for those who came. A seat is
a number within the window and nothing more: there is no face in it, and `forget` ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from edge.camera.base import Grey
from edge.vision.faces import Box, is_near
from edge.vision.layout import Layout, Strip
from edge.vision.motion import Motion

WIDE_EVERY = 8
"""Every so many searches look everywhere for every size, not just where faces have been."""

FIRST_SEARCHES = 4
"""Searches at every other frame when nothing is known of the room yet."""

BRIDGED = 2
"""Looks in a row that may miss a face which was there."""

CERTAIN = 3
"""Times a face has been found before it is bridged, and before its size and place are learnt."""

GIVEN_UP = 4
"""Looks in a row without a face after which a place counts as empty."""

EMPTY_LOOKS = 1
"""Places without a face that are looked at in a frame, in turn: such a look takes longest."""

WRONG = 2
"""Times that a seat is said to hold no face, without ever having held one, before it is left."""


class Search(Protocol):
    """Finds faces; `every` so many frames is a search worth its cost."""

    every: int

    def thorough(self, frame: Grey) -> list[Box]: ...

    def coarse(self, frame: Grey) -> list[Box]: ...

    def wide(self, frame: Grey) -> list[Box]: ...

    def quick(self, frame: Grey, strips: Sequence[Strip]) -> list[Box]: ...

    def again(self, frame: Grey, box: Box) -> Box | None: ...

    def confirms(self, frame: Grey, box: Box) -> bool: ...

    def wipe(self, shape: tuple[int, int]) -> None: ...


class Face(NamedTuple):
    """A face in view: its seat's number within the window, and whether anything moved there."""

    seat: int
    box: Box
    moved: bool


@dataclass
class Seat:
    number: int
    box: Box
    found: int = 1
    missed: int = 0
    """Looks in a row that have not found it."""
    moved: bool = True
    accepted: bool = False
    wrong: int = 0
    """Times that the expression model has said that this is no face."""

    @property
    def is_left(self) -> bool:
        """Never a face, as far as anyone can tell."""
        return self.wrong >= WRONG and not self.accepted

    @property
    def is_empty(self) -> bool:
        """A place where nobody has been found for a while."""
        return self.missed >= GIVEN_UP

    @property
    def is_there(self) -> bool:
        if self.is_left:
            return False
        return self.missed == 0 or (self.found >= CERTAIN and self.missed <= BRIDGED)


class Seats:
    """The seats of one window after the other.

    `patient`: the first frame is searched as well as can be, because there may be no other.
    """

    def __init__(
        self, search: Search, layout: Layout, least: int, *, patient: bool = False
    ) -> None:
        self._patient = patient
        self._search, self._layout, self._least = search, layout, least
        self._motion = Motion()
        self._seats: list[Seat] = []
        self._frames = self._searches = self._numbers = 0
        self._height = self._width = 0

    def find(self, frame: Grey) -> list[Face]:
        """The faces in view; zones that nobody may look at are overwritten in the frame."""
        self._layout.blank(frame)
        self._height, self._width = frame.shape
        self._motion.see(frame)
        beginning = self._searches < FIRST_SEARCHES and self._frames % 2 == 1
        if self._frames % self._search.every == 0 or beginning:
            self._look_everywhere(frame)
        else:
            for seat in self._seats:
                if not seat.is_empty:
                    self._look_again(frame, seat)
        self._look_at_empty_places(frame)
        self._frames += 1
        return [Face(seat.number, seat.box, seat.moved) for seat in self._seats if seat.is_there]

    def judge(self, faces: Iterable[int], wrong: Iterable[int]) -> None:
        """What the expression model says of seats: that they hold a face, or none."""
        right, not_right = set(faces), set(wrong)
        for seat in self._seats:
            seat.accepted = seat.accepted or seat.number in right
            seat.wrong += seat.number in not_right

    def forget(self) -> None:
        """The end of a window: sizes and places are learnt, seats and pictures are gone."""
        certain = [s.box for s in self._seats if s.accepted or (s.found >= CERTAIN and not s.wrong)]
        if certain:
            self._layout.learn(certain, self._height)
        self._seats.clear()
        self._motion.forget()
        self._frames = 0

    def wipe(self) -> None:
        """Nothing of any picture stays behind, in the detector either."""
        self.forget()
        if self._height:
            self._search.wipe((self._height, self._width))

    def _look_everywhere(self, frame: Grey) -> None:
        found = self._found(frame)
        self._searches += 1
        for seat in self._seats:
            box = next((box for box in found if is_near(seat.box, box)), None)
            if box is not None:
                found.remove(box)
                self._there(seat, box)
            elif not seat.is_empty:
                self._look_again(frame, seat)
        for box in found:
            if self._search.confirms(frame, box):
                self._seats.append(self._seat(box))
        if not self._frames:  # a new window: where faces have been, some may be again
            for box in self._layout.places:
                if not any(is_near(seat.box, box) for seat in self._seats):
                    self._seats.append(self._seat(box, found=0, missed=GIVEN_UP))

    def _found(self, frame: Grey) -> list[Box]:
        if self._searches == 0:  # so that the first frame does not take long
            return (self._search.thorough if self._patient else self._search.coarse)(frame)
        strips = self._layout.strips(self._height, self._least)
        if strips and self._searches % WIDE_EVERY != 1:
            return self._search.quick(frame, strips)
        return self._search.wide(frame)

    def _seat(self, box: Box, found: int = 1, missed: int = 0) -> Seat:
        self._numbers += 1
        return Seat(self._numbers, box, found, missed)

    def _look_at_empty_places(self, frame: Grey) -> None:
        """A few in turn, thoroughly."""
        empty = [seat for seat in self._seats if seat.is_empty and not seat.is_left]
        for step in range(min(EMPTY_LOOKS, len(empty))):
            self._look_again(frame, empty[(self._frames * EMPTY_LOOKS + step) % len(empty)])

    def _look_again(self, frame: Grey, seat: Seat) -> None:
        seat.moved = self._motion.in_box(seat.box)
        if seat.is_left or (seat.missed == 0 and seat.found >= CERTAIN and not seat.moved):
            return  # what was there is there
        box = self._search.again(frame, seat.box)
        if box is None or self._is_taken(box, seat):
            seat.missed += 1
        else:
            self._there(seat, box)

    def _is_taken(self, box: Box, seat: Seat) -> bool:
        """Whether a look has strayed to a neighbour's face."""
        others = (s.box for s in self._seats if s is not seat and not s.missed)
        return any(is_near(box, other) for other in others)

    @staticmethod
    def _there(seat: Seat, box: Box) -> None:
        seat.box, seat.missed = box, 0
        seat.found += 1
