"""Haar cascades for a fixed room: a thorough search, a quick one, and a second look at a place.

OpenCV's frontal and profile cascades (Viola and Jones 2001; Lienhart and Maydt 2002). With two
neighbours instead of five they find more, and more that is no face: the expression model's second
output, which says whether it is one, sorts those out. Without a model, five neighbours have to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import cv2
import numpy as np

from edge.camera.base import Grey
from edge.vision.faces import NEAR, Box, cascade, overlap
from edge.vision.layout import Strip

BASE = 24
"""Side of the frontal cascade's window, pixels: no smaller face can be found."""

GLANCE, LOOK = 26, 36
"""Side of the face in a patch that is glanced at, and looked at closely, pixels."""

GLANCE_AROUND, LOOK_AROUND = 0.35, 0.45
"""How much of the picture around a face such a patch shows, on each side, as a share of it."""

SMALLER, LARGER = 0.66, 1.4
"""A face may have gone back so far, or come nearer, since it was seen."""

LOOK_STEP = 1.15
QUICK_STEP = 1.1
WIDE_LEAST = 1.25
"""A search of a whole room, now and then, leaves the very smallest sizes out."""

SMALLEST_SHARE = 24
"""A search of a whole room takes the time and the memory of 720 lines, however many there are.
Faces smaller than this part of the height are found where the rows are known: see `agent aim`."""

TILTS = (-22.0, 22.0)
"""Degrees; the cascades themselves bear about 12 on either side."""

SAME = 0.3
"""Boxes that share so much are of one face."""


def merged(boxes: Iterable[Box]) -> list[Box]:
    """One box for each face, the first of those that are of the same."""
    kept: list[Box] = []
    for box in boxes:
        if all(overlap(box, other) < SAME for other in kept):
            kept.append(box)
    return kept


class HaarSearch:
    """Search and second look; `neighbors` overlapping detections make one."""

    every = 10

    def __init__(
        self, scale_factor: float, neighbors: int, min_size: int, *, checked: bool
    ) -> None:
        self._checked = checked
        self._step = scale_factor
        self._neighbors = neighbors
        self._least = min_size
        self._default = cascade("frontalface_default")
        self._alternative = cascade("frontalface_alt2")
        self._profile = cascade("profileface")

    def thorough(self, frame: Grey) -> list[Box]:
        """Every face of any size, with two cascades that fail on different faces."""
        found = _detect(self._default, frame, self._step, self._neighbors, self._least, 0)
        more = _detect(self._alternative, frame, self._step, self._neighbors, self._least, 0)
        return merged([*found, *more])

    def coarse(self, frame: Grey) -> list[Box]:
        """The larger faces, at once."""
        height = frame.shape[0]
        whole = Strip(0, height, 2 * self._least_wide(height), height)
        return self._in_strips(frame, [whole], QUICK_STEP, max(1, self._neighbors // 2))

    def wide(self, frame: Grey) -> list[Box]:
        """Every face, with one cascade: whom it leaves out, a later search or look will find.

        Small faces are searched by thirds of the picture: a cascade takes a dozen bytes for each
        pixel and size, all at once.
        """
        height = frame.shape[0]
        small = self._least_wide(height)
        # Sizes overlap, so that a face has its neighbours in one search or the other.
        medium, large = int(1.6 * small), int(2.6 * small)
        edges = [height * n // 3 for n in range(4)]
        thirds = [
            Strip(max(0, top - large), min(height, bottom + large), small, large)
            for top, bottom in pairwise(edges)
        ]
        strips = [Strip(0, height, medium, height), *thirds]
        return self._in_strips(frame, strips, self._step, self._neighbors)

    def quick(self, frame: Grey, strips: Sequence[Strip]) -> list[Box]:
        """Faces of the sizes that the strips name, where they are."""
        return self._in_strips(frame, strips, QUICK_STEP, self._neighbors)

    def _least_wide(self, height: int) -> int:
        return max(int(self._least * WIDE_LEAST), height // SMALLEST_SHARE)

    def _in_strips(
        self, frame: Grey, strips: Sequence[Strip], step: float, neighbors: int
    ) -> list[Box]:
        """Each strip is shrunk until its smallest faces are as small as the cascade can see."""
        found: list[Box] = []
        for strip in strips:
            shrink = min(1.0, BASE / strip.smallest)
            size = round(frame.shape[1] * shrink), round((strip.bottom - strip.top) * shrink)
            part = np.asarray(
                cv2.resize(frame[strip.top : strip.bottom], size, interpolation=cv2.INTER_AREA),
                np.uint8,
            )
            least, most = int(strip.smallest * shrink), int(strip.largest * shrink)
            for box in _detect(self._default, part, step, neighbors, least, most):
                found.append(_grown(box, shrink, 0, strip.top))
            part.fill(0)
        return merged(found)

    def again(self, frame: Grey, box: Box) -> Box | None:
        """The face that was at a place, turned or tilted since then."""
        with _Patch(frame, box, GLANCE, GLANCE_AROUND) as patch:
            found = patch.middle(_detect(self._alternative, patch.grey, LOOK_STEP, 1, *patch.sizes))
        if found is not None:
            return found
        with _Patch(frame, box, LOOK, LOOK_AROUND) as patch:
            for look in (self._frontal, self._profiles, self._tilted):
                if found := patch.middle(look(patch)):
                    return found
        return None

    def confirms(self, frame: Grey, box: Box) -> bool:
        """Whether another cascade sees it too, where no model looks at it afterwards."""
        if self._checked:
            return True
        with _Patch(frame, box, GLANCE, GLANCE_AROUND) as patch:
            found = _detect(self._alternative, patch.grey, LOOK_STEP, 2, *patch.sizes)
            return patch.middle(found) is not None

    def wipe(self, shape: tuple[int, int]) -> None:
        """Cascades keep a copy of the last picture that they searched: now that is a black one."""
        black = np.zeros(shape, np.uint8)
        for which in (self._default, self._alternative, self._profile):
            _detect(which, black, self._step, self._neighbors, 0, 0)

    def _frontal(self, patch: _Patch) -> list[Box]:
        return _detect(self._default, patch.grey, LOOK_STEP, 2, *patch.sizes)

    def _profiles(self, patch: _Patch) -> list[Box]:
        """A head that looks aside: the cascade knows one side, and sees the other in a mirror."""
        found = _detect(self._profile, patch.grey, LOOK_STEP, 2, *patch.sizes)
        mirrored = np.ascontiguousarray(patch.grey[:, ::-1])
        for box in _detect(self._profile, mirrored, LOOK_STEP, 2, *patch.sizes):
            found.append(box._replace(x=mirrored.shape[1] - box.x - box.width))
        mirrored.fill(0)
        return found

    def _tilted(self, patch: _Patch) -> list[Box]:
        """A head that lies on a hand."""
        found = []
        height, width = patch.grey.shape
        for tilt in TILTS:
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
            turned = np.asarray(
                cv2.warpAffine(patch.grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE),
                np.uint8,
            )
            back = cv2.invertAffineTransform(turn)
            for box in _detect(self._default, turned, LOOK_STEP, 2, *patch.sizes):
                x, y = back @ (box.x + box.width / 2, box.y + box.height / 2, 1)
                found.append(box._replace(x=round(x - box.width / 2), y=round(y - box.height / 2)))
            turned.fill(0)
        return found


class _Patch:
    """The place around a box, its contrast spread, the face in it `side` pixels wide; wiped after.

    `sizes` are the widths, in the patch, of faces that it may hold.
    """

    def __init__(self, frame: Grey, box: Box, side: int, around: float) -> None:
        height, width = frame.shape
        dx, dy = int(box.width * around), int(box.height * around)
        # A place may lie outside, where the camera has been changed for another.
        self._left = min(max(0, box.x - dx), width - 1)
        self._top = min(max(0, box.y - dy), height - 1)
        right = max(box.x + box.width + dx, self._left + 1)
        bottom = max(box.y + box.height + dy, self._top + 1)
        part = frame[self._top : bottom, self._left : right]
        self._scale = side / box.width
        size = (
            max(1, round(part.shape[1] * self._scale)),
            max(1, round(part.shape[0] * self._scale)),
        )
        how = cv2.INTER_AREA if self._scale < 1 else cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
        self.grey = np.asarray(cv2.equalizeHist(resized), np.uint8)
        resized.fill(0)
        self.sizes = round(side * SMALLER), round(side * LARGER)
        self._side = side

    def __enter__(self) -> _Patch:
        return self

    def __exit__(self, *_: object) -> None:
        self.grey.fill(0)

    def middle(self, boxes: Sequence[Box]) -> Box | None:
        """The one nearest to the middle, in the frame: a neighbour's face may show at the edge."""
        height, width = self.grey.shape

        def off(box: Box) -> float:
            return max(
                abs(box.x + box.width / 2 - width / 2), abs(box.y + box.height / 2 - height / 2)
            )

        nearest = min(boxes, key=off, default=None)
        if nearest is None or off(nearest) > NEAR * self._side:
            return None
        return _grown(nearest, self._scale, self._left, self._top)


def _detect(
    which: cv2.CascadeClassifier, image: Grey, step: float, neighbors: int, least: int, most: int
) -> list[Box]:
    """Faces from `least` to `most` pixels wide; 0 is no limit."""
    found = which.detectMultiScale(
        image,
        scaleFactor=step,
        minNeighbors=neighbors,
        minSize=(least, least),
        maxSize=(most, most),
    )
    return [Box(*map(int, box)) for box in found]


def _grown(box: Box, shrink: float, left: int, top: int) -> Box:
    """A box of a part that was scaled, in the frame."""
    return Box(
        left + round(box.x / shrink),
        top + round(box.y / shrink),
        round(box.width / shrink),
        round(box.height / shrink),
    )
