"""A place where a face has been seen in this window, and what is known of it: no picture."""

from __future__ import annotations

from dataclasses import dataclass

from edge.vision.faces import Box

BRIDGE_FRAMES = 2
"""Looks in a row that may miss a face which was there."""

CERTAIN = 3
"""Times a face has been found before it is bridged, and before its size and place are learnt."""

GIVEN_UP = 4
"""Looks in a row without a face after which a place counts as empty."""

GONE_SHARE = 0.6
"""Share of a place that has changed when a face which is missed there has left: no bridge then."""

WRONG = 2
"""Times that a seat is said to hold no face, without ever having held one, before it is left."""

FARTHEST = 5.0
"""Face widths that somebody walks from one frame to the next, at most."""

STAYS = 0.3
"""Face widths in a frame within which somebody still counts as sitting."""

ALIKE = 1.35
"""Faces of one person in two frames are as large as each other, but for this factor."""


@dataclass
class Seat:
    number: int
    box: Box
    hits: int = 1
    misses: int = 0
    """Looks in a row that have not found it."""
    has_motion: bool = True
    is_face: bool = False
    has_stirred: bool = True
    """Whether anything has moved there since it was last looked at as an empty place."""
    last_look: int = -1
    """The frame of that look."""
    left: bool = False
    """Whether so much has changed when it was missed that nobody is there any more."""
    step: tuple[int, int] | None = None
    """Pixels to the right and down since the frame before, of somebody who walks."""
    wrong: int = 0
    """Times that the expression model has said that this is no face."""

    @property
    def is_wrong(self) -> bool:
        """Never a face, as far as anyone can tell."""
        return self.wrong >= WRONG and not self.is_face

    @property
    def is_empty(self) -> bool:
        """A place where nobody has been found for a while, or that somebody has left."""
        return self.misses >= GIVEN_UP or self.left

    @property
    def is_certain(self) -> bool:
        """Whether its size may be learnt."""
        return self.is_face or (self.hits >= CERTAIN and not self.wrong)

    @property
    def is_sure(self) -> bool:
        """Found often, and the last time too."""
        return self.misses == 0 and self.hits >= CERTAIN

    @property
    def walks(self) -> bool:
        return self.step is not None

    @property
    def is_there(self) -> bool:
        if self.is_wrong:
            return False
        return self.misses == 0 or (self.hits >= CERTAIN and self.misses <= BRIDGE_FRAMES)

    @property
    def ahead(self) -> Box:
        """Where somebody who walks on as before is next."""
        dx, dy = self.step or (0, 0)
        return self.box._replace(x=self.box.x + dx, y=self.box.y + dy)

    @property
    def is_over(self) -> bool:
        """Somebody who walked on, unseen; nobody sits there."""
        return self.misses > 0 and (self.walks or (self.left and 0 < self.hits < CERTAIN))

    def see(self, box: Box) -> None:
        """Found near where it was, or, of somebody who walks, anywhere."""
        if self.walks:
            self.follow(box)
            return
        self.box, self.misses, self.left = box, 0, False
        self.hits += 1

    def follow(self, box: Box) -> None:
        """Found elsewhere: somebody walks, or has sat down."""
        step = box.x - self.box.x, box.y - self.box.y
        self.step = None
        self.see(box)
        if max(map(abs, step)) > STAYS * box.width:
            self.step = step

    def miss(self, change: float) -> None:
        """A look without a face, where so much of the place has changed since the frame before."""
        self.misses += 1
        if change >= GONE_SHARE:
            self.left = True
            self.misses = max(self.misses, BRIDGE_FRAMES + 1)

    def distance(self, box: Box) -> float | None:
        """Face widths from where somebody may be expected; None where it cannot be the same."""
        larger, smaller = max(box.width, self.box.width), min(box.width, self.box.width)
        if larger > ALIKE * smaller:
            return None
        ahead = self.ahead
        dx = abs(box.x + box.width / 2 - ahead.x - ahead.width / 2)
        dy = abs(box.y + box.height / 2 - ahead.y - ahead.height / 2)
        away = max(dx, 2 * dy) / larger  # people walk to a side rather than up or down
        return away if away <= FARTHEST else None
