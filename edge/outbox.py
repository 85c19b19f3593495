"""Windows that the collector has not acknowledged, on disk: a restart or an outage loses none.

Bounded in bytes. When it is full, the oldest windows are merged into coarser ones; only where even
hours do not fit do the oldest go, and both are counted and said. A file that is damaged is kept
aside, with what could be read of it taken over.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path
from uuid import UUID

from edge.errors import Refusal
from edge.merge import merged
from edge.mood import MessageError, Mood, decode

log = logging.getLogger(__name__)

MAX_BYTES = 20 * 2**20
"""Some nine days of 15-second windows before the first are merged."""

PAGE = 512
"""Bytes that are written at a time, for the sake of an SD card: with 4,096 it is twice as much."""

AT_ONCE = 512
"""Windows that are merged together, or dropped, when the outbox is full."""

TABLE = """CREATE TABLE IF NOT EXISTS window (
    id INTEGER PRIMARY KEY, boot TEXT NOT NULL, seq INTEGER NOT NULL,
    windows INTEGER NOT NULL DEFAULT 1, mood BLOB NOT NULL, UNIQUE (boot, seq))"""


class Outbox:
    """A queue in one SQLite file; safe to use from several threads."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        self._lock = threading.Lock()
        self.merged = self.dropped = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _open(path)
        except (OSError, sqlite3.Error) as error:
            raise Refusal(f"{path}: no outbox ({error}): check the disk, or set 'state'") from None

    def add(self, mood: Mood) -> None:
        """Stores one window durably, in one transaction with what a full outbox takes."""
        with self._lock, self._db:
            self._insert(mood)
            if self._bytes() > self._max:
                self._shrink()

    def waiting(self, limit: int) -> list[Mood]:
        """The oldest windows not yet acknowledged, at most `limit`."""
        with self._lock:
            rows = self._db.execute("SELECT mood FROM window ORDER BY id LIMIT ?", (limit,))
            return [decode(Mood, row[0]) for row in rows]

    def newest(self) -> Mood | None:
        """The window that was added last, where it is not acknowledged yet."""
        with self._lock:
            row = self._db.execute("SELECT mood FROM window ORDER BY id DESC LIMIT 1").fetchone()
            return decode(Mood, row[0]) if row else None

    def remove(self, boot: UUID, seq: int, windows: int = 1) -> None:
        """Forgets a window that the collector has committed; unknown ones are ignored.

        So is one that has been merged with others since it was sent: they are not committed yet.
        """
        with self._lock, self._db:
            self._db.execute(
                "DELETE FROM window WHERE boot = ? AND seq = ? AND windows = ?",
                (str(boot), seq, windows),
            )

    def __len__(self) -> int:
        with self._lock:
            count: int = self._db.execute("SELECT count(*) FROM window").fetchone()[0]
            return count

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _insert(self, mood: Mood, row: int | None = None) -> None:
        self._db.execute(
            "INSERT INTO window (id, boot, seq, windows, mood) VALUES (?, ?, ?, ?, ?)",
            (row, str(mood.boot), mood.seq, mood.windows, mood.encode()),
        )

    def _bytes(self) -> int:
        """What the windows take in the file; pages that are free again do not count."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _shrink(self) -> None:
        """Halves the oldest windows that can be merged; drops the oldest where none can."""
        last = -1
        while rows := self._db.execute(
            "SELECT id, mood FROM window WHERE id > ? ORDER BY id LIMIT ?", (last, AT_ONCE)
        ).fetchall():
            if count := self._merge(rows):
                self._say("merged with their neighbours", self.merged == 0)
                self.merged += count
                return
            last = rows[-1][0]
        gone = self._db.execute(
            "DELETE FROM window WHERE id IN (SELECT id FROM window ORDER BY id LIMIT ?)", (AT_ONCE,)
        )
        self._say("dropped", self.dropped == 0)
        self.dropped += gone.rowcount

    def _merge(self, rows: list[tuple[int, bytes]]) -> int:
        """Merges neighbours in pairs; returns how many windows that saved."""
        saved, index = 0, 0
        while index + 1 < len(rows):
            (row, first), (other, second) = rows[index], rows[index + 1]
            both = merged(decode(Mood, first), decode(Mood, second))
            if both is not None:
                self._db.execute("DELETE FROM window WHERE id IN (?, ?)", (row, other))
                self._insert(both, other)
                saved += 1
            index += 1 if both is None else 2
        return saved

    @staticmethod
    def _say(what: str, first_time: bool) -> None:
        if first_time:
            log.warning("outbox: full: the oldest windows are %s", what)


def _open(path: Path) -> sqlite3.Connection:
    """The database, sound; a damaged one is put aside first."""
    try:
        return _sound(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # a disk or a permission, not the file
            raise
        aside = path.with_suffix(".damaged")
        log.error("%s: damaged (%s): kept as %s", path, error, aside.name)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.replace(aside)
        fresh = _sound(path)
        taken = _rescue(aside, fresh)
        log.error("%s: %d windows taken over from the damaged file", path, taken)
        return fresh


def _sound(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False)
    try:
        db.execute(f"PRAGMA page_size={PAGE}")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(TABLE)
        columns = {row[1] for row in db.execute("PRAGMA table_info(window)")}
        if "windows" not in columns:  # a file of an earlier version
            db.execute("ALTER TABLE window ADD COLUMN windows INTEGER NOT NULL DEFAULT 1")
        said = db.execute("PRAGMA quick_check").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(said.splitlines()[0])
    except BaseException:
        db.close()
        raise
    return db


def _rescue(damaged: Path, fresh: sqlite3.Connection) -> int:
    """Copies every window that can still be read; returns how many."""
    taken = 0
    with contextlib.closing(sqlite3.connect(damaged)) as old, contextlib.suppress(sqlite3.Error):
        for (content,) in old.execute("SELECT mood FROM window ORDER BY id"):
            with contextlib.suppress(MessageError, sqlite3.IntegrityError, TypeError), fresh:
                mood = decode(Mood, content)
                fresh.execute(
                    "INSERT INTO window (boot, seq, windows, mood) VALUES (?, ?, ?, ?)",
                    (str(mood.boot), mood.seq, mood.windows, content),
                )
                taken += 1
    return taken
