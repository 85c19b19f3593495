"""How long what is stored stays: what is past its time is deleted, windows, lessons and all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, delete, or_, select

from collector.access.audit import AuditLog
from collector.config import Retention
from collector.retention.erasing import delete_windows, finish
from collector.retention.runs import add_round
from collector.storage import lesson_numbers
from collector.storage.erasures import Erasures
from collector.storage.stepping import due_query
from collector.storage.store import Store
from collector.storage.tables import deliveries, lessons, moods, sessions
from edge.common.worker import Worker

log = logging.getLogger(__name__)

EVERY_S = 600.0
PATIENCE_S = 3600.0
"""Years of windows may be due at once, after the settings were changed."""
DAY_S = 86_400.0


class RetentionWorker(Worker):
    """Deletes what is past its time."""

    def __init__(
        self,
        engine: Engine,
        retention_of: Callable[[str], Retention],
        audit_log: AuditLog | None = None,
        audit_days: int = 730,
        witness: Callable[[], None] = lambda: None,
        erasures: Erasures | None = None,
        forget: Callable[[str, str], None] = lambda _site, _room: None,
        is_sure_of_time: Callable[[], bool] = lambda: True,
    ) -> None:
        self._is_sure_of_time = is_sure_of_time
        self._witness, self._erasures, self._forget = witness, erasures, forget
        super().__init__("retention", EVERY_S, patience_s=PATIENCE_S)
        self._audit, self._audit_days = audit_log, audit_days
        self._engine = engine
        self._retention_of = retention_of

    def run_once(self) -> None:
        if self._erasures is not None:
            with self.attempt("erasures"):
                finish(self._erasures)
        # Else it waits until it is woken by whoever watches the clock, and says why.
        if self._is_sure_of_time():
            self.round(time.time())
        with self.attempt("audit log's witness"):
            self._witness()
        if self._failures:  # soon again, not at the next round: health is to know when it is over
            raise OSError(self._failures[0])

    def round(self, now: float) -> int:
        """Deletes what is due at a moment (seconds since 1970); returns how many windows.

        A room of which nothing is left is forgotten by those, too, who keep its newest window.
        """
        windows = lesson_count = 0
        before = set(Store(self._engine).rooms())
        sites = {site for site, _ in before}
        for site in sorted(sites | self._sites_of_lessons()):
            retention = self._retention_of(site)
            since = now - retention.windows_days * DAY_S
            with self.attempt(f"site {site}"):
                for where in due_windows(self._engine, site, since):
                    windows += delete_windows(self._engine, *where)
                old = lessons.c.end < now - retention.lessons_days * DAY_S
                with self._engine.begin() as connection:
                    lesson_numbers.keep(connection)
                    result = connection.execute(delete(lessons).where(lessons.c.site == site, old))
                lesson_count += result.rowcount
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires < now))
            connection.execute(delete(deliveries).where(deliveries.c.given_up))
        if self._audit is not None:
            with self.attempt("audit log"):
                self._audit.add_denials()
                self._audit.prune(now - self._audit_days * DAY_S)
                failures = len(self._failures)
                add_round(self._engine, self._audit, now, windows, lesson_count, failures)
        if windows:
            log.info("retention: %d windows deleted", windows)
            for site, room in sorted(before - set(Store(self._engine).rooms())):
                self._forget(site, room)
        return windows

    def _sites_of_lessons(self) -> set[str]:
        with self._engine.connect() as connection:
            return {row.site for row in connection.execute(select(lessons.c.site).distinct())}


def due_windows(engine: Engine, site: str, before: float) -> Iterator[tuple[Any, ...]]:
    """Conditions for the windows that are past their time, each of which an index answers.

    By our own clock where the device's is not to be believed: a window goes so many days after it
    came, if it says that its clock was not set, or tells of a time that had not come yet.
    """
    has_true_clock = or_(moods.c.clock == "synced", moods.c.received < before)
    with engine.connect() as connection:
        rooms = connection.execute(due_query(site, before, has_true_clock)).scalars().all()
    for room in rooms:
        yield moods.c.site == site, moods.c.room == room, moods.c.start < before, has_true_clock
    yield moods.c.site == site, moods.c.received < before, moods.c.start > moods.c.received
