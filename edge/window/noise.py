"""Counts with noise and a differential-privacy budget: `disclosure.noise` in the settings.

What the guarantee is about: one pupil, present or not, with whatever expressions, during any
`lesson_minutes` in a row; what is told in that time is epsilon-differentially private for that
change. The same pupil recurs in every window, so each release spends a part of the budget, and
pupils who sit here for several lessons a day spend it several times. It is not about a detector
that finds or loses a neighbour's face because somebody moved.

OpenDP draws the noise and computes what it costs. See Dwork and Roth (2014), sections 3.3 and 3.5.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge.common import atomic_file
from edge.common.errors import UserError
from edge.protocol.counts import Disclosure, disclose, withhold
from edge.window.tally import Tally

log = logging.getLogger(__name__)

SENSITIVITY = 2.0
"""A pupil moves the mean counts by one face from one cell to another at most: 2 in the L1 norm."""


class NoisyDisclosure:
    """A `Control` that tells noisy mean counts a few times per lesson, and nothing new between.

    Raises UserError when OpenDP is not installed. What was spent is kept in `path`; where that
    cannot be read or written, nothing is told.
    """

    def __init__(
        self,
        path: Path,
        labels: Sequence[str],
        *,
        epsilon: float,
        lesson_s: float,
        releases: int,
        min_faces: int = 5,
        min_cell: int = 3,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._labels, self._now = path, tuple(labels), now
        self._epsilon, self._lesson_s = epsilon, lesson_s
        self._min_faces, self._min_cell = min_faces, min_cell
        self._interval_s = lesson_s / releases
        self._add_noise = _laplace(SENSITIVITY * releases / epsilon)
        self._cost = float(self._add_noise.map(d_in=SENSITIVITY))
        self._sums: Counter[str] = Counter()
        self._frames = 0
        self._start: float | None = None
        self._last = withhold("gathering")
        self._spending = self._read_spending()

    def decide(self, tally: Tally) -> Disclosure:
        now = self._now()
        self._sums.update(tally.sums())
        self._frames += tally.frames
        if self._start is None or now < self._start:  # a clock that went back starts anew
            self._start = now
        if now - self._start >= self._interval_s and self._frames:
            self._last = self._release(now)
            self._sums.clear()
            self._frames, self._start = 0, now
        return self._last

    def _release(self, now: float) -> Disclosure:
        if self._spending is None:
            return withhold("budget_spent")
        # What was spent in a future that a wrong clock saw stays spent.
        recent = [(at, cost) for at, cost in self._spending if at > now - self._lesson_s]
        if sum(cost for _, cost in recent) + self._cost > self._epsilon * (1 + 1e-9):
            return withhold("budget_spent")
        self._spending = [*recent, (now, self._cost)]
        if not self._remember():  # spent before it is told: a crash must not make it free
            return withhold("budget_spent")
        means = [self._sums[name] / self._frames for name in self._labels]
        noisy = self._add_noise(means)
        counts = {
            name: max(0, round(count)) for name, count in zip(self._labels, noisy, strict=True)
        }
        return disclose(counts, self._min_faces, self._min_cell)

    def _read_spending(self) -> list[tuple[float, float]] | None:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return [(float(at), float(cost)) for at, cost in rows]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            log.error("%s: cannot be read (%s); nothing is published: remove it", self._path, error)
            return None

    def _remember(self) -> bool:
        try:
            atomic_file.write(self._path, json.dumps(self._spending))
        except OSError as error:
            log.error("%s: cannot be written (%s); nothing is published", self._path, error)
            return False
        return True


def _laplace(scale: float) -> Any:
    """OpenDP's Laplace mechanism over a vector of numbers."""
    try:
        import opendp.prelude as dp
    except ModuleNotFoundError:
        raise UserError(
            "OpenDP is missing",
            "disclosure.noise",
            "pip install 'roommood[noise]', or remove the key",
        ) from None
    dp.enable_features("contrib")
    domain = dp.vector_domain(dp.atom_domain(T=float, nan=False))
    return dp.m.make_laplace(domain, dp.l1_distance(T=float), scale=scale)
