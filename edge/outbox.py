"""Windows that the collector has not acknowledged, on disk: a restart or an outage loses none."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from uuid import UUID

from edge.errors import Refusal
from edge.mood import Mood, decode

MAX_WINDOWS = 50_000
"""About nine days of 15-second windows, 20 MB; past it the oldest go."""


class Outbox:
    """A queue in one SQLite file; safe to use from several threads."""

    def __init__(self, path: Path, max_windows: int = MAX_WINDOWS) -> None:
        self._max = max_windows
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS window ("
                " id INTEGER PRIMARY KEY, boot TEXT NOT NULL, seq INTEGER NOT NULL,"
                " mood BLOB NOT NULL, UNIQUE (boot, seq))"
            )
        except (OSError, sqlite3.Error) as error:
            raise Refusal(f"{path}: no outbox ({error}): check the disk, or set 'state'") from None

    def add(self, mood: Mood) -> None:
        """Stores one window durably, dropping the oldest when full."""
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO window (boot, seq, mood) VALUES (?, ?, ?)",
                (str(mood.boot), mood.seq, mood.encode()),
            )
            self._db.execute(
                "DELETE FROM window WHERE id <= (SELECT max(id) FROM window) - ?", (self._max,)
            )

    def waiting(self, limit: int) -> list[Mood]:
        """The oldest windows not yet acknowledged, at most `limit`."""
        with self._lock:
            rows = self._db.execute("SELECT mood FROM window ORDER BY id LIMIT ?", (limit,))
            return [decode(Mood, row[0]) for row in rows]

    def remove(self, boot: UUID, seq: int) -> None:
        """Forgets a window that the collector has committed; unknown ones are ignored."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM window WHERE boot = ? AND seq = ?", (str(boot), seq))

    def __len__(self) -> int:
        with self._lock:
            count: int = self._db.execute("SELECT count(*) FROM window").fetchone()[0]
            return count

    def close(self) -> None:
        with self._lock:
            self._db.close()
