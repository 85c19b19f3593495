"""Watches this machine's clock: says where the devices' differ, and mends what a wrong one left."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from collector.live.own_clock import Doubt, OwnClock, steady_s
from collector.storage import clock_doubt
from collector.storage.erasures import Erasures
from edge.common.clock_remedy import clock_remedy
from edge.common.worker import Worker

log = logging.getLogger(__name__)

EVERY_S = 5.0

LASTS_S = 60.0
"""A device that has just begun may not have set its clock yet."""

UNKNOWN_S = 86_400.0
"""After which it is said that nobody knows whether it is right."""

CONSEQUENCE = "nothing past its time is deleted until it is known"


class ClockWatch(Worker):
    """`on_sure` is called whenever the clock is to be believed again."""

    def __init__(
        self, clock: OwnClock, erasures: Erasures, on_sure: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__("clock", EVERY_S, longest_wait_s=EVERY_S)
        self._clock, self._erasures, self._on_sure = clock, erasures, on_sure
        self._doubt_since: float | None = None
        self._last_sure = steady_s()
        self._is_sure, self._is_noted = False, True
        self._remedy = ""

    def run_once(self) -> None:
        """Raises OSError while something is wrong, in words."""
        doubt = self._clock.doubt()
        self._note(doubt)
        if doubt is not None:
            self._is_sure = False
            if self._lasts():
                raise OSError(f"this machine's is {doubt}: {CONSEQUENCE}: {self._say_remedy()}")
            return
        self._doubt_since = None
        if self._clock.is_sure():
            self._last_sure = steady_s()
            if not self._is_sure:
                self._mend()
            self._is_sure = True
            return
        self._is_sure = False
        if steady_s() - self._last_sure > UNKNOWN_S:
            what = "neither network time nor a device vouches for this machine's"
            raise OSError(f"{what}: {CONSEQUENCE}: {self._say_remedy()}")

    def _lasts(self) -> bool:
        if self._doubt_since is None:
            self._doubt_since = steady_s()
        return steady_s() - self._doubt_since >= LASTS_S

    def _note(self, doubt: Doubt | None) -> None:
        """At the first turn too: the last process may have ended in doubt."""
        if doubt is not None or self._is_noted:
            clock_doubt.note(self._erasures.engine, doubt.ahead_s if doubt else None)
        self._is_noted = doubt is not None

    def _mend(self) -> None:
        count = self._erasures.end_at(time.time())
        if count:
            log.warning("clock: %d erasures reached past now, made by a clock ahead: mended", count)
        self._on_sure()

    def _say_remedy(self) -> str:
        """Asked for once: it takes a program of the system's."""
        self._remedy = self._remedy or clock_remedy()
        return self._remedy
