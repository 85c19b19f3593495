"""Windows that the collector has not acknowledged, on disk: a restart or an outage loses none.

Bounded in bytes. When it is full, the oldest windows are merged into coarser ones; only where even
hours do not fit do the oldest go, and both are counted and said. While the disk takes nothing,
windows wait in memory. A file that is damaged, now or at the start, is replaced by what could be
read of it and by the second copy: what the collector has already, it will ignore.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from edge.common.errors import UserError, in_words
from edge.outbox.merge import merge
from edge.outbox.second_copy import SecondCopy
from edge.outbox.windows_file import (
    DamagedRow,
    erase_remains,
    insert,
    is_damage,
    is_full,
    open_windows,
    prepend,
    remove_aside,
    rescue,
    rows_of,
    sound,
)
from edge.protocol.erasure import Span, is_within
from edge.protocol.messages import Mood

log = logging.getLogger(__name__)

MAX_BYTES = 20 * 2**20
"""Some nine days of 15-second windows before the first are merged."""

AT_ONCE = 512
"""Windows that are merged together, or dropped, when the outbox is full."""

MOST_IN_MEMORY = 6000
"""Windows in memory while the disk takes none: a day of them, some 6 MB."""

T = TypeVar("T")


class OutboxClosed(Exception):
    """Somebody still uses an outbox that has been closed, which is a defect and no damage."""


class Outbox:
    """A queue in one SQLite file; safe to use from several threads.

    After `close` everything raises OutboxClosed, and the file stays as it was.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max = max_bytes
        self._lock = threading.Lock()
        self._memory: list[Mood] = []
        self._trouble = ""
        self._is_closed = False
        self.merge_count = self.drop_count = self.move_count = 0
        self._copy = SecondCopy(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._use(open_windows(path, self._copy))
        except (OSError, sqlite3.Error) as error:
            if not is_full(error):
                what = f"cannot open the outbox ({in_words(error)})"
                raise UserError(what, path, "check the disk, or set 'state'") from None
            self._use_nothing()  # a full disk is no reason not to watch the room
            self._wait(str(error))

    @property
    def trouble(self) -> str:
        """Why windows are held in memory alone, or nothing."""
        return self._trouble

    def add(self, mood: Mood) -> None:
        """Stores one window durably, in one transaction with what a full outbox takes."""
        with self._open():
            self._follow()
            self._copy.append(mood)
            self._memory.append(mood)
            self._write_memory()
            while len(self._memory) > MOST_IN_MEMORY:
                self._say("dropped", self.drop_count == 0)
                self._memory.pop(0)
                self.drop_count += 1

    def pending(self, limit: int, room: str | None = None, *, other: bool = False) -> list[Mood]:
        """The oldest windows not yet acknowledged, at most `limit`.

        With a room (`site/room`), only its own, or with `other` only those of other rooms: what was
        counted before the device was moved.
        """
        query = "SELECT * FROM window ORDER BY id LIMIT ?"
        values: list[str | int] = [limit]
        if room is not None:
            where = "room IS NOT NULL AND room <> ?" if other else "room IS NULL OR room = ?"
            query = f"SELECT * FROM window WHERE {where} ORDER BY id LIMIT ?"  # noqa: S608  # our own words
            values = [room, limit]

        def rows() -> list[Mood]:
            return [sound(row) for row in self._db.execute(query, values)]

        with self._open():
            self._follow()
            self._write_memory()
            nothing: list[Mood] = []
            pending = [
                one
                for one in self._memory
                if room is None or (f"{one.site}/{one.room}" != room) is other
            ]
            return [*self._or_repair(rows, nothing), *pending][:limit]

    def rooms(self) -> set[str]:
        """Of the windows that wait, as `site/room`."""

        def names() -> set[str]:
            rows = self._db.execute("SELECT DISTINCT room FROM window WHERE room IS NOT NULL")
            return {str(row[0]) for row in rows}

        with self._open():
            nothing: set[str] = set()
            return self._or_repair(names, nothing) | {f"{o.site}/{o.room}" for o in self._memory}

    def resend(self, since: datetime) -> int:
        """Has windows from a moment on wait again that were acknowledged, as far back as the second
        copy has them: the collector's database was lost, or restored. Returns how many."""
        with self._open():
            again = self._copy.acknowledgements(since)
            return self._or_repair(lambda: prepend(self._db, again), 0)

    def erase(self, site: str, room: str, spans: Sequence[Span]) -> int:
        """Forgets a room's windows of some times for good, acknowledged or not; returns how many.

        Raises OSError where the disk does not take the second copy anew.
        """

        def is_gone(mood: Mood) -> bool:
            ours = (mood.site, mood.room) == (site, room)
            return ours and any(is_within(mood, begin, end) for begin, end in spans)

        def delete() -> int:
            rows = self._db.execute("SELECT * FROM window").fetchall()
            numbers = [(row["id"],) for row in rows if is_gone(sound(row))]
            with self._db:
                self._db.executemany("DELETE FROM window WHERE id = ?", numbers)
            if numbers or count:
                erase_remains(self._db, self._path)
            return len(numbers)

        with self._open():
            self._follow()
            before = len(self._memory)
            self._memory = [mood for mood in self._memory if not is_gone(mood)]
            count = self._copy.erase(is_gone)
            rows = self._or_repair(delete, 0)
            remove_aside(self._path)  # what could not be read of it may be of that time too
            return max(count, rows + before - len(self._memory))

    def newest(self) -> Mood | None:
        """The window that was added last, where it is not acknowledged yet."""

        def read() -> Mood | None:
            row = self._db.execute("SELECT * FROM window ORDER BY id DESC LIMIT 1").fetchone()
            return sound(row) if row else None

        with self._open():
            return self._memory[-1] if self._memory else self._or_repair(read, None)

    def remove(self, boot: UUID, seq: int, windows: int = 1) -> None:
        """Forgets a window that the collector has committed; unknown ones are ignored.

        So is one that has been merged with others since it was sent: they are not committed yet.
        """
        key = (boot, seq, windows)

        def delete() -> int:
            with self._db:
                return self._db.execute(
                    "DELETE FROM window WHERE boot = ? AND seq = ? AND windows = ?",
                    (str(boot), seq, windows),
                ).rowcount

        with self._open():
            before = len(self._memory)
            self._memory = [one for one in self._memory if (one.boot, one.seq, one.windows) != key]
            rows = self._or_repair(delete, 0)
            if rows or len(self._memory) < before:
                self._copy.acknowledge(boot, seq, windows)

    def __len__(self) -> int:
        def count() -> int:
            return int(self._db.execute("SELECT count(*) FROM window").fetchone()[0])

        with self._open():
            return self._or_repair(count, 0) + len(self._memory)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._db.close()
            self._copy.close()

    def every_room(self) -> set[str]:
        """Of the windows that wait and of those that are kept to be sent again, as `site/room`."""
        rooms = self.rooms()
        with self._open():
            return rooms | self._copy.rooms()

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                raise OutboxClosed(f"{self._path}: used after it was closed")
            yield

    def _write_memory(self) -> None:
        """Moves windows from memory to the disk, as soon as it takes them."""

        def write() -> None:
            with self._db:
                for mood in self._memory:
                    insert(self._db, mood)
                if self._bytes() > self._max:
                    self._shrink()
            self._memory = []
            if self._trouble:
                log.info("outbox: writing to the disk works again")
            self._trouble = ""

        if self._memory:
            self._or_repair(write, None)

    def _or_repair(self, action: Callable[[], T], otherwise: T) -> T:
        """What `action` gives; a damaged file is mended first; where the disk fails, it waits."""
        for _ in range(2):
            try:
                return action()
            except sqlite3.OperationalError as error:  # the disk, not the file
                self._wait(str(error))
                return otherwise
            except (sqlite3.DatabaseError, DamagedRow) as error:
                if not is_damage(error):
                    raise
                try:
                    self._db.close()
                    self._use(rescue(self._path, self._copy, str(error)))
                except (OSError, sqlite3.Error) as failure:
                    self._use_nothing()
                    self._wait(str(failure))
                    return otherwise
        return otherwise

    def _wait(self, trouble: str) -> None:
        if not self._trouble:
            log.error("%s: %s; windows wait in memory: free some space there", self._path, trouble)
        self._trouble = trouble
        if self._is_lost():
            self._open_again()

    def _open_again(self) -> None:
        with contextlib.suppress(OSError, sqlite3.Error):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._use(open_windows(self._path, self._copy))

    def _use(self, db: sqlite3.Connection) -> None:
        self._db, self._file = db, _which(self._path)

    def _use_nothing(self) -> None:
        """Until there is a file again: it has no table, so that every action waits."""
        self._db, self._file = sqlite3.connect(":memory:", check_same_thread=False), None

    def _is_lost(self) -> bool:
        """Whether a repair has failed, so that there is no file at all for now."""
        return not self._db.execute("PRAGMA database_list").fetchone()[2]

    def _follow(self) -> None:
        """Goes on in the file that has the outbox's name now.

        The folder may have been deleted, unmounted or mounted under a running agent: SQLite would
        go on in a file that nobody finds after the next start. What waits there comes along.
        """
        if self._is_lost():
            self._open_again()
            return
        if _which(self._path) == self._file:
            return
        rows = {(mood.boot, mood.seq): mood for mood in rows_of(self._db)}
        log.error(
            "%s: was taken away or is another file now: %d windows come along; is the state "
            "folder's disk mounted?",
            self._path,
            len(rows),
        )
        self._copy.close()
        self._db.close()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._use(open_windows(self._path, self._copy))
        except (OSError, sqlite3.Error) as error:
            self._use_nothing()
            self._wait(str(error))
        # In memory at first; the second copy is that of the file that is gone.
        for mood in rows.values():
            self._copy.append(mood)
        self._memory = [*rows.values(), *self._memory]
        self.move_count += 1

    def _bytes(self) -> int:
        """What the windows take in the file; pages that are free again do not count."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _shrink(self) -> None:
        """Halves the oldest windows that can be merged; drops the oldest where none can."""
        for rows in self._stretches():
            if count := self._merge(rows):
                self._say("merged with their neighbours", self.merge_count == 0)
                self.merge_count += count
                return
        cursor = self._db.execute(
            "DELETE FROM window WHERE id IN (SELECT id FROM window ORDER BY id LIMIT ?)", (AT_ONCE,)
        )
        self._say("dropped", self.drop_count == 0)
        self.drop_count += cursor.rowcount

    def _stretches(self) -> Iterator[list[tuple[int, Mood]]]:
        """All rows, oldest first, some at a time."""
        last = -(2**63)
        while rows := self._db.execute(
            "SELECT * FROM window WHERE id > ? ORDER BY id LIMIT ?", (last, AT_ONCE)
        ).fetchall():
            last = rows[-1][0]
            yield [(row[0], sound(row)) for row in rows]

    def _merge(self, rows: list[tuple[int, Mood]]) -> int:
        """Merges neighbours in pairs; returns how many windows that saved."""
        count, index = 0, 0
        while index + 1 < len(rows):
            (row, first), (other, second) = rows[index], rows[index + 1]
            both = merge(first, second)
            if both is not None:
                self._db.execute("DELETE FROM window WHERE id IN (?, ?)", (row, other))
                insert(self._db, both, other)
                count += 1
            index += 1 if both is None else 2
        return count

    @staticmethod
    def _say(what: str, first_time: bool) -> None:
        if first_time:
            log.warning("outbox: full: the oldest windows are %s", what)


def _which(path: Path) -> tuple[int, int] | None:
    """Tells one file from the next of the same name; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
