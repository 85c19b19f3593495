"""Follows the faces of a room through one window: pupils sit, and the camera does not move.

A search finds them; after that a small look at each place, where something has moved, tells
whether a face is still there. What moves elsewhere is searched at once, so that who walks is found
in every frame. Now and then the room is searched again for those who came. A seat is a number
within the window and nothing more: there is no face in it, and `forget` ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from edge.camera.base import Grey
from edge.vision.faces import Box, is_near
from edge.vision.layout import ENOUGH, Layout, Strip
from edge.vision.matching import in_place, match_walkers
from edge.vision.motion import Area, Motion
from edge.vision.seat import GIVEN_UP, GONE_SHARE, Seat

WIDE_EVERY = 8
"""Every so many searches look everywhere for every size, not just where faces have been."""

FIRST_SEARCHES = 4
"""Searches at every other frame when nothing is known of the room yet."""

EMPTY_LOOKS, STIRRED_LOOKS = 1, 3
"""Places without a face that are looked at in a frame, in turn: such a look takes longest. More of
them where something has moved."""

STILL = 3
"""Frames from one look at an empty place where nothing has moved to the next."""

CALM = 0.3
"""Where less of a face that was found has changed, it is looked at in every other frame."""

SMALLER = 0.75
"""Who moves may be so much smaller than the smallest face that was seen."""


class Search(Protocol):
    """Finds faces; `every` so many frames is a search worth its cost."""

    every: int
    learns_soon: bool
    """Whether searching just where faces are is worth knowing after a few frames."""

    def thorough(self, frame: Grey) -> list[Box]: ...

    def coarse(self, frame: Grey) -> list[Box]: ...

    def wide(self, frame: Grey) -> list[Box]: ...

    def quick(self, frame: Grey, strips: Sequence[Strip]) -> list[Box]: ...

    def moving(self, frame: Grey, areas: Sequence[Area], smallest: Sequence[int]) -> list[Box]: ...

    def least_moving(self, height: int) -> int: ...

    def recheck(self, frame: Grey, box: Box, *, closely: bool = True) -> Box | None: ...

    def confirms(self, frame: Grey, box: Box) -> bool: ...

    def wipe(self, shape: tuple[int, int]) -> None: ...


class Face(NamedTuple):
    """A face in view: its seat's number within the window, and whether anything moved there."""

    seat: int
    box: Box
    has_motion: bool


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
        self._motion.update(frame)
        for seat in self._seats:
            seat.has_motion = self._motion.in_box(seat.box)
        beginning = self._searches < FIRST_SEARCHES and self._frames % 2 == 1
        if self._frames % self._search.every == 0 or beginning:
            self._look_everywhere(frame)
        else:
            self._look_at_seats(frame, set())
            self._search_what_moves(frame)
        self._look_at_empty_places(frame)
        self._seats = [seat for seat in self._seats if not seat.is_over]
        self._frames += 1
        return [
            Face(seat.number, seat.box, seat.has_motion) for seat in self._seats if seat.is_there
        ]

    def judge(self, faces: Iterable[int], wrong: Iterable[int]) -> None:
        """What the expression model says of seats: that they hold a face, or none."""
        right, not_right = set(faces), set(wrong)
        for seat in self._seats:
            seat.is_face = seat.is_face or seat.number in right
            seat.wrong += seat.number in not_right

    def forget(self) -> None:
        """The end of a window: sizes and places are learnt, seats and pictures are gone."""
        self._learn()
        self._seats.clear()
        self._motion.forget()
        self._frames = 0

    def wipe(self) -> None:
        """Nothing of any picture stays behind, in the detector either."""
        self.forget()
        if self._height:
            self._search.wipe((self._height, self._width))

    def _learn(self, times: int = 1) -> None:
        certain = [seat for seat in self._seats if seat.is_certain]
        if certain:
            self._layout.learn_sizes([seat.box for seat in certain] * times, self._height)
            self._layout.learn_places([seat.box for seat in certain if not seat.walks])

    def _look_everywhere(self, frame: Grey) -> None:
        pairs, rest = in_place(self._seats, self._everywhere(frame))
        self._searches += 1
        for seat, box in pairs:
            seat.see(box)
        sightings = {seat.number for seat, _ in pairs}
        self._look_at_seats(frame, sightings)
        rest = self._follow(frame, sightings, rest)
        self._seats += [self._seat(box) for box in rest if self._search.confirms(frame, box)]
        if not self._frames:  # a new window: where faces have been, some may be again
            for box in self._layout.places:
                if not any(is_near(seat.box, box) for seat in self._seats):
                    self._seats.append(self._seat(box, hits=0, misses=GIVEN_UP))

    def _everywhere(self, frame: Grey) -> list[Box]:
        if self._searches == 0:  # so that the first frame does not take long
            return (self._search.thorough if self._patient else self._search.coarse)(frame)
        soon = self._search.learns_soon and self._searches == FIRST_SEARCHES
        if soon and not self._layout.rows:
            self._learn(ENOUGH)
        strips = self._layout.strips(self._height, self._least)
        if strips and self._searches % WIDE_EVERY != 1:
            return self._search.quick(frame, strips)
        return self._search.wide(frame)

    def _search_what_moves(self, frame: Grey) -> None:
        """What has changed where nobody sits that we know of."""
        there = [seat for seat in self._seats if seat.misses == 0 and not seat.walks]
        areas = self._motion.areas([seat.box for seat in there])
        smallest = [self._smallest(area) for area in areas]
        boxes = self._search.moving(frame, areas, smallest) if areas else []
        others = [box for box in boxes if not any(is_near(seat.box, box) for seat in there)]
        pairs, rest = in_place([s for s in self._seats if s.misses or s.walks], others)
        for seat, box in pairs:
            seat.see(box)
        rest = self._follow(frame, {seat.number for seat, _ in pairs}, rest)
        self._seats += [self._seat(box) for box in rest]

    def _follow(self, frame: Grey, sightings: Collection[int], boxes: Sequence[Box]) -> list[Box]:
        """Those who have left their place, or were walking; gives the boxes of others.

        Whom the search has not found may be where the way goes on, or may have stopped.
        """
        absentees = [s for s in self._seats if s.number not in sightings and (s.walks or s.left)]
        pairs, rest = match_walkers([s for s in absentees if s.misses < GIVEN_UP], boxes)
        for seat, box in pairs:
            seat.follow(box)
        matches = {seat.number for seat, _ in pairs}
        for seat in absentees:
            if seat.walks and seat.number not in matches:
                place = seat.ahead if seat.has_motion else seat.box
                here = self._search.recheck(frame, place, closely=not seat.has_motion)
                if here is None or self._is_taken(here, seat):
                    seat.miss(1.0)
                else:
                    seat.follow(here)
        return rest

    def _smallest(self, area: Area) -> int:
        """The width of the smallest face that an area may hold, as far as anyone knows."""
        strips = self._layout.strips(self._height, self._least)
        widths = [s.smallest for s in strips if s.top < area.bottom and area.top < s.bottom]
        widths = widths or [int(SMALLER * s.box.width) for s in self._seats if s.is_certain]
        return max(self._least, min(widths, default=self._search.least_moving(self._height)))

    def _seat(self, box: Box, hits: int = 1, misses: int = 0) -> Seat:
        self._numbers += 1
        return Seat(self._numbers, box, hits, misses)

    def _look_at_empty_places(self, frame: Grey) -> None:
        """A few in turn, thoroughly; first those where something has moved since the last look."""
        empty = [seat for seat in self._seats if seat.is_empty and not seat.is_wrong]
        for seat in empty:
            seat.has_stirred = seat.has_stirred or seat.has_motion
        stir_count = sum(seat.has_stirred for seat in empty)
        worth = [s for s in empty if s.has_stirred or self._frames - s.last_look >= STILL]
        worth.sort(key=lambda seat: (not seat.has_stirred, seat.last_look))
        for seat in worth[: max(EMPTY_LOOKS, min(stir_count, STIRRED_LOOKS))]:
            seat.has_stirred, seat.last_look = False, self._frames
            self._look_again(frame, seat)

    def _look_at_seats(self, frame: Grey, sightings: Collection[int]) -> None:
        """Those who sit, but for the ones of `sightings`."""
        for seat in self._seats:
            if seat.number not in sightings and not seat.is_empty and not seat.walks:
                # One that sways a little will be there in the next frame too.
                calm = seat.is_sure and self._motion.share(seat.box) < CALM
                if not calm or (seat.number + self._frames) % 2:
                    self._look_again(frame, seat)

    def _look_again(self, frame: Grey, seat: Seat) -> None:
        if seat.is_wrong or (seat.is_sure and not seat.has_motion):
            return  # what was there is there
        # Where all has changed, somebody has gone or passes by; the search finds who is there.
        share = self._motion.share(seat.box)
        box = self._search.recheck(frame, seat.box, closely=share < GONE_SHARE or seat.is_sure)
        if box is None or self._is_taken(box, seat):
            seat.miss(share)
        else:
            seat.see(box)

    def _is_taken(self, box: Box, seat: Seat) -> bool:
        """Whether a look has strayed to a neighbour's face."""
        others = (s.box for s in self._seats if s is not seat and not s.misses)
        return any(is_near(box, other) for other in others)
