"""Asks every second whether all parts live, and tells systemd; ends a process that cannot go on.

What a new process may mend, a thread that has ended or a call that does not return, ends it with a
status that says so. What it would not mend, such as a full disk, is for health to tell.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from systemd_watchdog.systemd_watchdog import WatchDog

from edge.common.worker import Worker

log = logging.getLogger(__name__)

TRY_AGAIN = os.EX_TEMPFAIL
"""The exit status, 75, for a fault that a new process may not have; systemd starts one."""

EVERY_S = 1.0
GRACE_S = 5.0
"""For stopping in good order: the light goes out, what is in memory is sent."""


class Watchdog(Worker):
    """`hang_reason` says what only a new process can mend, or nothing; `status` is what systemd
    shows.

    `give_up` is told why, and is to end the process in good order; where it does not within
    GRACE_S, `end` does.
    """

    def __init__(
        self,
        hang_reason: Callable[[], str],
        status: Callable[[], str],
        give_up: Callable[[str], None],
        end: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__("watchdog", EVERY_S, ends_in_s=1.0, longest_wait_s=EVERY_S)
        self._ask, self._status = hang_reason, status
        self._give_up, self._end = give_up, end
        self._sentence = ""
        self._stop = threading.Event()
        # Its own idea of when to notify is by the wall clock, which may jump: we tell it when.
        self._systemd = WatchDog()

    def start(self) -> None:
        """Tells systemd that all have begun."""
        self._systemd.ready()
        super().start()

    def stop(self) -> bool:
        self._stop.set()
        return super().stop()

    def run_once(self) -> None:
        if why := self._ask():
            log.error("%s: restarting", why)
            try:
                self._give_up(why)
            except Exception:  # the process is to end all the same
                log.exception("giving up")
            if not self._stop.wait(GRACE_S):
                self._end(TRY_AGAIN)
            self._stopping.set()
            return
        self._systemd.notify()
        status = self._status()
        if status != self._sentence:
            self._systemd.status(status)
        self._sentence = status
