"""Haar cascades for a fixed room: searches, thorough and quick, and a second look at a place.

OpenCV's frontal and profile cascades (Viola and Jones 2001; Lienhart and Maydt 2002). With two
detections instead of five they find more, and more that is no face: the expression model's second
output, which says whether it is one, sorts those out. Without a model it takes three, and another
cascade has to agree.

A picture is shrunk until the smallest faces looked for fill the cascade's window, octave by octave:
OpenCV steps two pixels then, instead of one, and a quarter of the places is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.vision.brightness import lift, white
from edge.vision.faces import Box, cascade, overlap
from edge.vision.layout import Strip
from edge.vision.motion import Area
from edge.vision.patch import Patch

BASE, ALTERNATIVE_BASE = 24, 20
"""Sides of the frontal cascades' windows, pixels: no smaller face can be found."""

BRIEF_SEARCH, DENSE, PROFILE = 26, 54, 36
"""Side of the face in a patch that is glanced at, looked at closely, and searched for a profile."""

BRIEF_SEARCH_AROUND, LOOK_AROUND = 0.35, 0.45
"""How much of the picture around a face such a patch shows, on each side, as a share of it."""

LOOK_STEP = 1.15
QUICK_STEP = 1.1
MOVING_STEP = 1.2
MOVING_DETECTIONS, MOVING_ALONE = 1, 2
"""Overlapping detections for who moves; and where no model looks at it afterwards."""

OCTAVE = 2.0
WIDE_LEAST = 1.25
"""A search of a whole room, now and then, leaves the very smallest sizes out."""

SMALLEST_SHARE = 24
"""A search of a whole room takes the time and the memory of 720 lines, however many there are.
Faces smaller than this part of the height are found where the rows are known: see `agent aim`."""

TILTS = (-22.0, 22.0)
"""Degrees; the cascades themselves bear about 12 on either side."""

SAME = 0.3
"""Boxes that share so much are of one face."""


def merge(boxes: Iterable[Box]) -> list[Box]:
    """One box for each face, the first of those that are of the same."""
    faces: list[Box] = []
    for box in boxes:
        if all(overlap(box, other) < SAME for other in faces):
            faces.append(box)
    return faces


class HaarSearch:
    """Search and second look; `min_detections` overlapping detections make one."""

    every = 15
    learns_soon = True

    def __init__(
        self, scale_factor: float, min_detections: int, min_size: int, *, has_classifier: bool
    ) -> None:
        self._has_classifier = has_classifier
        self._step = scale_factor
        self._min_detections = min_detections
        self._least = min_size
        self._default = cascade("frontalface_default")
        self._alternative = cascade("frontalface_alt2")
        self._profile = cascade("profileface")

    def thorough(self, frame: Grey) -> list[Box]:
        """Every face of any size, with two cascades that fail on different faces."""
        boxes = _detect(self._default, frame, self._step, self._min_detections, self._least, 0)
        more = _detect(self._alternative, frame, self._step, self._min_detections, self._least, 0)
        return merge([*boxes, *more])

    def coarse(self, frame: Grey) -> list[Box]:
        """The larger faces, at once."""
        height = frame.shape[0]
        whole = Strip(0, height, 2 * self._least_wide(height), height)
        return self._in_strips(frame, [whole], QUICK_STEP, max(1, self._min_detections // 2))

    def wide(self, frame: Grey) -> list[Box]:
        """Every face, with one cascade: whom it leaves out, a later search or look will find.

        Small faces are searched by thirds of the picture: a cascade takes a dozen bytes for each
        pixel and size, all at once.
        """
        height = frame.shape[0]
        small = self._least_wide(height)
        large = int(OCTAVE * small)
        edges = [height * n // 3 for n in range(4)]
        thirds = [
            Strip(max(0, top - large * 5 // 8), min(height, bottom + large * 5 // 8), small, large)
            for top, bottom in pairwise(edges)
        ]
        strips = [Strip(0, height, large, height), *thirds]
        return self._in_strips(frame, strips, self._step, self._min_detections)

    def quick(self, frame: Grey, strips: Sequence[Strip]) -> list[Box]:
        """Faces of the sizes that the strips name, where they are."""
        width = frame.shape[1]
        areas = [Area(0, strip.top, width, strip.bottom) for strip in strips]
        boxes = self.moving(frame, areas, [strip.smallest for strip in strips])
        # What stands still and looks like a face to one cascade would be counted all day.
        return boxes if self._has_classifier else [box for box in boxes if self._agrees(frame, box)]

    def moving(self, frame: Grey, areas: Sequence[Area], smallest: Sequence[int]) -> list[Box]:
        """Faces in areas where something has moved, none smaller than each area's `smallest`."""
        raw: list[Box] = []
        brightest = white(frame)
        for area, least in zip(areas, smallest, strict=True):
            part = frame[area.top : area.bottom, area.left : area.right]
            raw += self._octaves(part, brightest, least, area.left, area.top)
        return _group(raw, MOVING_DETECTIONS if self._has_classifier else MOVING_ALONE)

    def _octaves(self, part: Grey, brightest: int, least: int, left: int, top: int) -> list[Box]:
        """Detections, not yet grouped, in the frame."""
        boxes: list[Box] = []
        while least < min(part.shape):
            shrink = min(1.0, ALTERNATIVE_BASE / least)
            size = round(part.shape[1] * shrink), round(part.shape[0] * shrink)
            small = _shrink(part, size, brightest)
            most = int(OCTAVE * ALTERNATIVE_BASE)
            for box in _detect(self._alternative, small, MOVING_STEP, 0, 0, most):
                boxes.append(_grow(box, shrink, left, top))
            small.fill(0)
            least = int(OCTAVE * least)
        return boxes

    def least_moving(self, height: int) -> int:
        """The smallest face, pixels, that is searched where something moves."""
        return self._least_wide(height)

    def _least_wide(self, height: int) -> int:
        return max(int(self._least * WIDE_LEAST), height // SMALLEST_SHARE)

    def _in_strips(
        self, frame: Grey, strips: Sequence[Strip], step: float, min_detections: int
    ) -> list[Box]:
        """Each strip is shrunk until its smallest faces are as small as the cascade can see.

        Detections are grouped once for all strips: a face between two sizes has its others
        on both sides.
        """
        raw: list[Box] = []
        brightest = white(frame)
        for strip in strips:
            shrink = min(1.0, BASE / strip.smallest)
            size = round(frame.shape[1] * shrink), round((strip.bottom - strip.top) * shrink)
            part = _shrink(frame[strip.top : strip.bottom], size, brightest)
            least, most = int(strip.smallest * shrink), int(strip.largest * shrink)
            for box in _detect(self._default, part, step, 0, least, most):
                raw.append(_grow(box, shrink, 0, strip.top))
            part.fill(0)
        return _group(raw, min_detections)

    def recheck(self, frame: Grey, box: Box, *, closely: bool = True) -> Box | None:
        """The face that was at a place, turned or tilted since then.

        First as it was seen last. Not `closely`: a face that looks at the camera, or none.
        """
        with Patch(
            frame, box, BRIEF_SEARCH, BRIEF_SEARCH_AROUND, turn=box.tilt, equal=True
        ) as patch:
            face = patch.middle(_detect(self._alternative, patch.grey, LOOK_STEP, 1, *patch.sizes))
        face = face or self._upright(frame, box, box.tilt)
        if face is not None or not closely:
            return face
        for tilt in (0.0, *TILTS):
            if tilt != box.tilt and (face := self._upright(frame, box, tilt)):
                return face
        with Patch(frame, box, PROFILE, LOOK_AROUND, equal=True) as patch:
            return patch.middle(self._profiles(patch))

    def confirms(self, frame: Grey, box: Box) -> bool:
        """Whether another cascade sees it too, where no model looks at it afterwards."""
        if self._has_classifier:
            return True
        for side, around, equal in (
            (BRIEF_SEARCH, BRIEF_SEARCH_AROUND, True),
            (DENSE, LOOK_AROUND, False),
        ):
            with Patch(frame, box, side, around, equal=equal) as patch:
                detections = _detect(self._alternative, patch.grey, LOOK_STEP, 2, *patch.sizes)
                if patch.middle(detections):
                    return True
        return False

    def wipe(self, shape: tuple[int, int]) -> None:
        """Cascades keep a copy of the last picture that they searched: now that is a black one."""
        black = np.zeros(shape, np.uint8)
        for which in (self._default, self._alternative, self._profile):
            _detect(which, black, self._step, self._min_detections, 0, 0)

    def _agrees(self, frame: Grey, box: Box) -> bool:
        """Whether the default cascade sees it too."""
        return self._upright(frame, box, 0.0) is not None

    def _upright(self, frame: Grey, box: Box, tilt: float) -> Box | None:
        """A face that leans so far. The larger patch is not equalised: it finds what one of 36
        pixels that is does not."""
        with Patch(frame, box, DENSE, LOOK_AROUND, turn=tilt) as patch:
            return patch.middle(_detect(self._default, patch.grey, LOOK_STEP, 2, *patch.sizes))

    def _profiles(self, patch: Patch) -> list[Box]:
        """A head that looks aside: the cascade knows one side, and sees the other in a mirror."""
        boxes = _detect(self._profile, patch.grey, LOOK_STEP, 2, *patch.sizes)
        mirror = np.ascontiguousarray(patch.grey[:, ::-1])
        for box in _detect(self._profile, mirror, LOOK_STEP, 2, *patch.sizes):
            boxes.append(box._replace(x=mirror.shape[1] - box.x - box.width))
        mirror.fill(0)
        return boxes


def _shrink(part: Grey, size: tuple[int, int], brightest: int) -> Grey:
    small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    image = lift(small, brightest)
    small.fill(0)
    return image


def _detect(
    which: cv2.CascadeClassifier,
    image: Grey,
    step: float,
    min_detections: int,
    least: int,
    most: int,
) -> list[Box]:
    """Faces from `least` to `most` pixels wide; 0 is no limit."""
    detections = which.detectMultiScale(
        image,
        scaleFactor=step,
        minNeighbors=min_detections,
        minSize=(least, least),
        maxSize=(most, most),
    )
    return [Box(*map(int, box)) for box in detections]


def _group(raw: Sequence[Box], min_detections: int) -> list[Box]:
    """One box for each place that so many detections besides one agree on."""
    if not raw:
        return []
    groups, _ = cv2.groupRectangles([box[:4] for box in raw], min_detections, 0.2)
    return merge(Box(*map(int, box)) for box in groups)


def _grow(box: Box, shrink: float, left: int, top: int) -> Box:
    """A box of a part that was scaled, in the frame."""
    return Box(
        left + round(box.x / shrink),
        top + round(box.y / shrink),
        round(box.width / shrink),
        round(box.height / shrink),
    )
