"""Asks the database every few seconds: whether it answers, is ours alone, and has new erasures.

It waits so that nobody else has to: others read what it found. A collector that has lost the
database to another ends, since both would write one audit log.
"""

from __future__ import annotations

from collector.storage.erasures import Erasures
from collector.storage.pulse import DatabasePulse
from collector.storage.sole_use import SoleUse
from edge.common.errors import UserError
from edge.common.worker import Worker

EVERY_S = 2.0
PATIENCE_S = 180.0
"""A server that hangs is nothing that a new process would mend; its silence is told by `problem`.
Longer than everything that a turn may wait for."""


class DatabaseWatch(Worker):
    """Keeps sole use of the database, and what is known of erasures and of its answers."""

    def __init__(self, use: SoleUse, erasures: Erasures, pulse: DatabasePulse) -> None:
        super().__init__(
            "database", EVERY_S, patience_s=PATIENCE_S, ends_in_s=1.0, longest_wait_s=EVERY_S
        )
        self._use, self._erasures, self._pulse = use, erasures, pulse
        self._loss = ""

    def run_once(self) -> None:
        with self._pulse.question():
            try:
                self._use.keep()
            except UserError as error:
                self._loss = str(error)
                raise
            # On the session of our own: in the pool's queue only those before us would be slow.
            self._erasures.recheck(self._use.session)

    def fatal_problem(self) -> str:
        """Lost to another collector, too: only a new process knows what that one has written."""
        return super().fatal_problem() or self._loss

    def problem(self) -> str:
        damage = self._pulse.problem() if self._pulse.damage else ""
        return damage or super().problem() or self._pulse.problem()
