"""Whether the database answers, as whoever asks it every few seconds found; read without waiting.

A server that hangs, or a network that drops packets, says nothing: whoever waits for it waits for
ever. So one worker asks (collector/run/database_watch.py), and all others give up with it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

from collector.storage.database import RESTORE
from edge.common.worker import first_line

log = logging.getLogger(__name__)

SILENT_S = 4.0
"""After which a database without an answer is said to have none."""

GIVE_UP_S = 10.0
"""After which nobody waits for it any longer."""


class DatabasePulse:
    """Written by the one who asks, read by all."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._failure = ""
        self.damage = ""
        """What is wrong with what is stored; once seen, only a new process knows better."""

    def report_damage(self, what: str) -> None:
        """From any thread."""
        if not self.damage:
            self.damage = f"is damaged ({what})"
            log.error("database: %s: nothing is stored any more; %s", self.damage, RESTORE)

    @contextlib.contextmanager
    def question(self) -> Iterator[None]:
        """Around asking; what is raised is why there is no answer."""
        if self._since is None:
            self._since = time.monotonic()
        try:
            yield
        except Exception as error:
            self._failure = first_line(error)
            raise
        self._since, self._failure = None, ""

    @property
    def silence_s(self) -> float:
        """For how long there has been no answer to a question; 0 while there is none open."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def problem(self) -> str:
        """Why the database cannot be used now, or nothing."""
        if self.damage:
            return f"{self.damage}: {RESTORE}"
        silence_s = self.silence_s
        late = f"no answer for {silence_s:.0f} s" if silence_s > SILENT_S else ""
        return self._failure or late

    def hopeless(self, _waited_s: float = 0.0) -> str:
        """Why nobody is to wait for it, or nothing."""
        return self._failure or (self.problem() if self.silence_s > GIVE_UP_S else "")
