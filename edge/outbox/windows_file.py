"""The outbox's file: made, checked, and rescued where it is damaged.

Every row has a checksum, so that a flipped bit is not taken for a count. Room is taken in advance,
for the windows of an hour or two, so that a disk which somebody else fills does not matter at once.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import sqlite3
import zlib
from pathlib import Path
from typing import Any

from edge.outbox.second_copy import Number, SecondCopy, read
from edge.protocol.messages import MessageError, Mood, decode

log = logging.getLogger(__name__)

PAGE = 512
"""Bytes that are written at a time, for the sake of an SD card: with 4,096 it is twice as much."""

RESERVE = 256 * 1024
"""Bytes taken in advance, in the file and in its write-ahead log each; see _reserve."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

TABLE = """CREATE TABLE IF NOT EXISTS window (
    id INTEGER PRIMARY KEY, boot TEXT NOT NULL, seq INTEGER NOT NULL,
    windows INTEGER NOT NULL DEFAULT 1, mood BLOB NOT NULL, crc INTEGER, room TEXT,
    UNIQUE (boot, seq))"""

NEW_COLUMNS = {"windows": "INTEGER NOT NULL DEFAULT 1", "crc": "INTEGER", "room": "TEXT"}
"""Columns that a file of an earlier version lacks; all of them at the end, whatever TABLE says."""


class DamagedRow(Exception):
    """A row that is not what was written."""


def is_damage(error: Exception) -> bool:
    """Whether it is the file that is at fault: SQLITE_CORRUPT, _NOTADB and _INTERNAL.

    Python names these with the base class of all its database errors. The classes below it are
    about the disk (OperationalError), or about us: a closed connection, a wrong statement.
    """
    return type(error) in (sqlite3.DatabaseError, sqlite3.InternalError, DamagedRow)


def is_full(error: Exception) -> bool:
    """Whether there is no room on the disk, which passes, where a wrong path would not.

    Python 3.10 has no code for it; a write that SQLite could not finish is an input or output
    error, whatever the reason.
    """
    if isinstance(error, sqlite3.OperationalError):
        return "disk is full" in str(error) or "disk I/O error" in str(error)
    return isinstance(error, OSError) and error.errno in NO_ROOM


def open_windows(path: Path, copy: SecondCopy) -> sqlite3.Connection:
    """The database, sound, with all that the second copy has and it lacks; raises
    sqlite3.OperationalError where the disk does not take it.

    A log that was cut short is no damage that SQLite could see: it is a log with less in it.
    """
    try:
        db = _open_sound(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):  # a disk, a permission, or a defect of ours
            raise
        return rescue(path, copy, str(error))
    _complete(db, path, copy)
    return db


def _complete(db: sqlite3.Connection, path: Path, copy: SecondCopy) -> None:
    file_numbers = {
        (str(boot), number)
        for boot, seq, windows in db.execute("SELECT boot, seq, windows FROM window")
        for number in range(seq - windows + 1, seq + 1)
    }
    backlog = copy.pending()
    numbers = list(backlog)
    last = max((at for at, number in enumerate(numbers) if number in file_numbers), default=-1)
    gaps = [at for at, number in enumerate(numbers) if number not in file_numbers]
    moods = {at: mood for at in gaps if (mood := read(backlog[numbers[at]]))}
    if not moods:
        return
    log.error("%s: lacked %d windows that the second copy has", path, len(moods))
    prepend(db, [mood for at, mood in moods.items() if at < last])
    with db:
        for at, mood in moods.items():
            if at > last:
                insert(db, mood)


def prepend(db: sqlite3.Connection, moods: list[Mood]) -> int:
    """Adds windows before all others, so that the newest stays the newest; returns how many."""
    with db:
        first = db.execute("SELECT coalesce(min(id), 1) FROM window").fetchone()[0]
        before = db.total_changes
        for row, mood in enumerate(moods, first - len(moods)):
            insert(db, mood, row)
    return db.total_changes - before


def erase_remains(db: sqlite3.Connection, path: Path) -> None:
    """Nothing of rows that were deleted is left in the file or in its log; raises
    sqlite3.OperationalError where the disk does not take it."""
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _reserve(db, path)


def remove_aside(path: Path) -> None:
    """A damaged file that was set aside may hold windows that nothing else has; raises OSError."""
    for suffix in ("", "-wal", "-shm"):
        aside = path.with_suffix(".damaged")
        aside.with_name(aside.name + suffix).unlink(missing_ok=True)


def rescue(path: Path, copy: SecondCopy, why: str) -> sqlite3.Connection:
    """A new file with all that can be read of the damaged one, and all of the second copy."""
    aside = path.with_suffix(".damaged")
    log.error("%s: damaged (%s); set aside as %s", path, why, aside.name)
    for suffix in ("-wal", "-shm"):
        # The log belongs to its database, which may need it to be read.
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    if path.exists():
        path.replace(aside)
    fresh = _open_sound(path)
    # The copy has the newest ones; what it lacks is older.
    copies = {key: mood for key, text in copy.pending().items() if (mood := read(text))}
    older = {_number(mood): mood for mood in readable(aside)}
    moods = [*(mood for key, mood in older.items() if key not in copies), *copies.values()]
    with fresh:
        for mood in moods:
            insert(fresh, mood)
    log.error("%s: %d windows recovered", path, len(moods))
    return fresh


def _number(mood: Mood) -> Number:
    return str(mood.boot), mood.seq


def insert(db: sqlite3.Connection, mood: Mood, row: int | None = None) -> None:
    """Adds a window; one that is there already, as after a rescue, stays as it is."""
    content = mood.encode()
    db.execute(
        "INSERT OR IGNORE INTO window (id, boot, seq, windows, mood, crc, room)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(row, str(mood.boot), mood.seq, mood.windows),
            *(content, zlib.crc32(content), f"{mood.site}/{mood.room}"),
        ),
    )


def sound(row: Any) -> Mood:
    """The window of a row (`SELECT *`); raises DamagedRow for one that is not as it was written."""
    content, crc = row["mood"], row["crc"]
    try:
        if crc is None or zlib.crc32(content) == crc:
            return decode(Mood, content)
    except (MessageError, TypeError):
        pass
    raise DamagedRow("a window is not as it was written")


def _open_sound(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False)
    db.row_factory = sqlite3.Row
    try:
        db.execute(f"PRAGMA page_size={PAGE}")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        # The log starts anew well before it has used up what was taken in advance.
        db.execute(f"PRAGMA wal_autocheckpoint={RESERVE // PAGE * 3 // 4}")
        db.execute(TABLE)
        columns = {row[1] for row in db.execute("PRAGMA table_info(window)")}
        for name, kind in NEW_COLUMNS.items():
            if name not in columns:
                db.execute(f"ALTER TABLE window ADD COLUMN {name} {kind}")
        verdict = db.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict.splitlines()[0])
        _reserve(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _reserve(db: sqlite3.Connection, path: Path) -> None:
    """Writes once what later windows may overwrite: free pages of the file stay its own.

    On a disk that is full already nothing can be taken in advance, which is no reason to stop.
    """
    log_file = path.with_name(path.name + "-wal")
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    if pages * PAGE > RESERVE and log_file.exists() and log_file.stat().st_size > RESERVE:
        return
    with contextlib.suppress(sqlite3.OperationalError), db:
        db.execute("CREATE TABLE IF NOT EXISTS reserve (room BLOB)")
        db.execute("INSERT INTO reserve VALUES (zeroblob(?))", (RESERVE,))
        db.execute("DELETE FROM reserve")


def readable(path: Path) -> list[Mood]:
    """Every window that can still be read, some of them twice, up to the damage from either end."""
    with contextlib.closing(sqlite3.connect(path)) as old:
        return rows_of(old)


def rows_of(db: sqlite3.Connection) -> list[Mood]:
    """As `readable`, of a file that is open."""
    from_both_ends: list[list[Mood]] = [[], []]
    queries = ("SELECT * FROM window ORDER BY id", "SELECT * FROM window ORDER BY id DESC")
    db.row_factory = sqlite3.Row
    for query, moods in zip(queries, from_both_ends, strict=True):
        with contextlib.suppress(sqlite3.Error):
            for row in db.execute(query):
                with contextlib.suppress(DamagedRow, IndexError):
                    moods.append(sound(row))
    return [*from_both_ends[0], *reversed(from_both_ends[1])]
