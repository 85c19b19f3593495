"""Commits windows, then acknowledges them: the one thread that everything stored goes through.

Nothing else is done here that can fail or wait: what others are to hear of a window goes through
the queue of collector/run/announcements.py.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Sequence

from prometheus_client import Counter
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from collector.live.rooms import Rooms
from collector.storage.store import Store
from edge.common.worker import Worker, first_line
from edge.protocol.messages import Ack, Mood

log = logging.getLogger(__name__)

BATCH = 500
"""Windows committed together at most; under load a commit is shared, at rest it is not awaited."""

BUSY, GATHERS_S = 4, 0.02
"""After a commit of so many the next one waits so long for company: a commit costs more than a
window, and nobody sees twenty milliseconds."""

LONGEST_RETRY_S = 2.0
"""Between tries of a commit that fails; what comes meanwhile and finds no place stays outside."""

LOOK_S = 1.0


class Writer(Worker):
    """`put` may be called from any thread; `storing` says whether the last commit went well."""

    def __init__(
        self,
        store: Store,
        rooms: Rooms,
        messages: Counter,
        acknowledge: Callable[[Mood, Ack], None],
        announce: Callable[[Mood], None],
        find_erasures: Callable[[Sequence[Mood]], list[Mood]] = lambda _moods: [],
    ) -> None:
        super().__init__("writer", longest_wait_s=LONGEST_RETRY_S)
        self._find_erasures = find_erasures
        self._store, self._rooms, self._messages = store, rooms, messages
        self._acknowledge, self._announce = acknowledge, announce
        self._queue: queue.Queue[Mood] = queue.Queue(maxsize=4 * BATCH)
        self._batch: list[Mood] = []
        self._new: list[Mood] = []
        """Of the batch those that were not stored before, whatever failed after their commit."""
        self._last = 0
        self.storing = True

    def put(self, mood: Mood) -> bool:
        """Whether there was room for it."""
        if self._stopping.is_set():
            return False
        try:
            self._queue.put_nowait(mood)
        except queue.Full:
            return False
        return True

    def run_once(self) -> None:
        """Stores what waits; what could not be stored is kept, and comes first the next time."""
        if not self._batch:
            self._gather(LOOK_S)
        if self._batch:
            self._commit()

    def finish(self) -> None:
        """Stores what was received; what cannot be stored stays with its agent."""
        while self._batch or not self._queue.empty():
            if not self._batch:
                self._gather(0)
            self._commit()

    def _gather(self, patience_s: float) -> None:
        if self._last >= BUSY:
            self._stopping.wait(GATHERS_S)
        self._last = 0
        try:
            self._batch.append(self._queue.get(timeout=patience_s))
            while len(self._batch) < BATCH:
                self._batch.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        self._last = len(self._batch)

    def _commit(self) -> None:
        try:
            moods = self._add(self._batch)
            # An erasure is noted before it deletes: what it did not find yet is seen here.
            if erased_moods := self._find_erasures(moods):
                self._store.remove(erased_moods)
        except SQLAlchemyError as error:
            # Nothing is acknowledged, so the agents keep these windows, whatever becomes of us.
            if self.storing:
                self._messages.labels("mood", "failed").inc(len(self._batch))
            self.storing = False
            raise OSError(f"database: {first_line(error)}; agents keep their windows") from None
        new_moods = [mood for mood in self._new if mood not in erased_moods]
        self._batch, self._new = [], []
        if not self.storing:
            log.info("database: storing windows again")
        self.storing = True
        self._messages.labels("mood", "stored").inc(len(new_moods))
        self._messages.labels("mood", "erased").inc(len(erased_moods))
        repeats = len(moods) - len(new_moods) - len(erased_moods)
        self._messages.labels("mood", "repeated").inc(repeats)
        for mood in moods:
            with self.attempt("acknowledgement"):
                self._acknowledge(mood, Ack(boot=mood.boot, seq=mood.seq, windows=mood.windows))
        now = time.time()
        for mood in new_moods:
            with self.attempt(f"{mood.site}/{mood.room}"):
                self._rooms.update_mood(mood, now)
            self._announce(mood)

    def _add(self, batch: list[Mood]) -> list[Mood]:
        """Those that are stored now.

        Where the database refuses what one window says, the others are stored all the same.
        """
        try:
            self._new += self._store.add(batch)
            return batch
        except Exception as error:
            if not _is_about_a_window(error):
                raise
            if len(batch) == 1:
                (mood,) = batch
                self._messages.labels("mood", "refused").inc()
                log.warning(
                    "%s/%s: window %d: refused: %s",
                    mood.site,
                    mood.room,
                    mood.seq,
                    first_line(error),
                )
                return []
        half = len(batch) // 2
        return self._add(batch[:half]) + self._add(batch[half:])


def _is_about_a_window(error: Exception) -> bool:
    """Whether what was to be stored is at fault, not the database that was to store it."""
    return isinstance(error, (DataError, IntegrityError)) or not isinstance(error, DBAPIError)
