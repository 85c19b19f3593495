"""One backup into the folder of backups: written, read through, listed; then older ones go.

Whatever fails or is killed, the backups that were good are there still: nothing is deleted before
the new one was read back from the disk as `restore` would read it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from sqlalchemy import Engine, text

from collector.access.secret import FILE as KEY_FILE
from collector.access.secret import derive_key
from collector.retention.archive import (
    CHUNK,
    TABLES,
    UNREADABLE,
    OtherVersion,
    check,
    lines,
)
from collector.retention.backup import backup
from collector.retention.backup_folder import BackupFolder, BackupRecord
from collector.retention.whole_file import whole_file
from collector.storage.erasure_notes import ErasureNotes
from edge.common import atomic_file
from edge.common.errors import UserError
from edge.common.worker import first_line

log = logging.getLogger(__name__)

LOCK = "backup.lock"
"""In the state folder."""
MOST_RESERVE, RESERVE_SHARE = 500e6, 0.05
"""Of the disk stay free, since the database may be on it too."""
LOOK_EACH = 8 << 20
"""Bytes written between two looks at the disk."""
GROWTH, FIRST_SHARE = 1.2, 1 / 3
"""How much larger than the last a backup may be; of the database, how much the first takes."""


class OtherCollector(Exception):
    """A backup that is another collector's."""


class Reading(NamedTuple):
    """Of a backup that was read through: its SHA-256 and how many rows it has."""

    sha256: str
    rows: int


class Outcome(NamedTuple):
    """Of one run: the new backup, how many good ones there are, the names of those that it deleted
    and of those that are damaged."""

    record: BackupRecord
    good: int
    surplus: list[str]
    damage: list[str]


@contextlib.contextmanager
def one_at_a_time(state: Path) -> Iterator[None]:
    """Raises UserError while another run is at work; the lock ends with its process."""
    with (state / LOCK).open("ab") as file:
        os.fchmod(file.fileno(), atomic_file.OWNER_ALONE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait until it has ended: `systemctl status roommood-backup`"
            raise UserError("another backup is being made", state / LOCK, remedy) from None
        yield


def owner_of(key: bytes) -> str:
    """Tells one collector's folder from another's, and nothing of its key."""
    return derive_key(key, "backups").hex()[:16]


class BackupRun:
    """With a database, its collector's state, site and key, into a folder."""

    def __init__(
        self, engine: Engine, state: Path, site: Path | None, key: bytes, folder: BackupFolder
    ) -> None:
        self._engine, self._state, self._site = engine, state, site
        self._key, self._folder = key, folder

    def run(self, keep: int, least: int = 0) -> Outcome:
        """Makes one, numbered above `least`; raises UserError or OSError where it does not come
        about, and then nothing was deleted."""
        folder = self._folder
        folder.remove_remains()
        if absent := folder.forget_missing():
            log.warning("backups: no longer there: %s", ", ".join(absent))
        reserve = self._check_room()
        record = self._make(*folder.new_name(time.time(), least), reserve)
        folder.put(record)
        copy_erasures(self._state, folder.path)
        for path in folder.unknown_files():
            self._adopt(path)
        self._read_others(record)
        surplus = folder.trim(keep)
        damage = [one.name for one in folder.records if one.problem]
        return Outcome(record, len(folder.good()), surplus, damage)

    def _check_room(self) -> int:
        """Returns how many bytes have to stay free."""
        good = self._folder.good()
        likely = good[0].size * GROWTH if good else _database_size(self._engine) * FIRST_SHARE
        usage = shutil.disk_usage(self._folder.path)
        reserve = int(min(MOST_RESERVE, RESERVE_SHARE * usage.total))
        if usage.free < likely + reserve:
            raise no_room(self._folder.path, usage.free, likely + reserve)
        return reserve

    def _make(self, number: int, name: str, reserve: int) -> BackupRecord:
        path, at = self._folder.path / name, time.time()
        with whole_file(path) as file:
            guard = RoomGuard(file, self._folder.path, reserve)
            output = cast("IO[bytes]", guard)  # it writes, which is all that is asked of it
            rows = backup(self._engine, self._state, path, self._site, output)
            guard.flush()
            os.fsync(file.fileno())
            # From the disk, not from memory.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            size = file.tell()
            try:
                reading = read_through(file, self._key, rows)
            except (*UNREADABLE, OtherVersion, OtherCollector) as error:
                raise UserError(
                    f"the new backup is not what was written ({first_line(error)})",
                    path,
                    "check this disk, or name another as `backup.folder`",
                ) from None
            file.seek(0, os.SEEK_END)
        return BackupRecord(number, name, at, size, *reading, time.time())

    def _adopt(self, path: Path) -> None:
        """A file that is in no list, once it was read through; another's is left alone."""
        number, reading, problem = int(path.name.split("-")[1]), Reading("", 0), ""
        size, at = path.stat().st_size, path.stat().st_mtime
        try:
            with path.open("rb") as file:
                reading = read_through(file, self._key)
        except (OtherVersion, OtherCollector) as error:
            other = "version of roommood" if isinstance(error, OtherVersion) else "collector"
            log.warning("%s: another %s wrote it: left alone", path, other)
            return
        except UNREADABLE as error:
            problem = first_line(error)
            log.error("%s: %s", path, problem)
        new = BackupRecord(number, path.name, at, size, *reading, time.time(), problem)
        self._folder.put(new)

    def _read_others(self, new: BackupRecord) -> None:
        """Disks forget; and what is damaged must not be why a good one goes."""
        others = [one for one in self._folder.records if one.name != new.name]
        self._folder.put(*(read_again(self._folder.path, one) for one in others))


class RoomGuard:
    """Writes to a file until the disk has no more than the reserve; then raises UserError."""

    def __init__(self, file: IO[bytes], folder: Path, reserve: int) -> None:
        self._file, self._folder, self._reserve = file, folder, reserve
        self._since = 0

    def write(self, data: bytes) -> int:
        self._since += len(data)
        if self._since >= LOOK_EACH:
            self._since = 0
            free = shutil.disk_usage(self._folder).free
            if free < self._reserve:
                raise no_room(self._folder, free, self._reserve)
        with self._full_disk():
            return self._file.write(data)

    def flush(self) -> None:
        with self._full_disk():
            self._file.flush()

    @contextlib.contextmanager
    def _full_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            os.ftruncate(self._file.fileno(), 0)  # or closing it would fail of the same
            raise no_room(self._folder, 0, self._reserve) from None


def no_room(folder: Path, free: float, need: float) -> UserError:
    return UserError(
        f"{free / 1e6:.0f} MB are free, and a backup needs {max(1, need / 1e6):.0f}",
        folder,
        "free space, keep fewer (`backup.keep`), or name another disk as `backup.folder`",
    )


def read_through(file: IO[bytes], key: bytes, rows: dict[str, int] | None = None) -> Reading:
    """As `restore` reads it, each row too; raises one of UNREADABLE, OtherVersion, OtherCollector.

    `rows` are how many of each table were written.
    """
    content, total = check(file), 0
    if content.files[KEY_FILE] != key:
        raise OtherCollector
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for table in TABLES:
            names, count = {column.name for column in table.columns}, 0
            for line in lines(archive, content.parts[table.name]):
                if json.loads(line).keys() != names:
                    raise ValueError(f"a row of {table.name} has other columns")
                count += 1
            if rows is not None and count != rows[table.name]:
                raise ValueError(f"{count} rows of {table.name}, and {rows[table.name]} written")
            total += count
    return Reading(content.digest, total)


def read_again(folder: Path, record: BackupRecord) -> BackupRecord:
    """With what is wrong with it now, by its digest; whatever version wrote it."""
    digest, size = hashlib.sha256(), 0
    try:
        with (folder / record.name).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while some := file.read(CHUNK):
                digest.update(some)
                size += len(some)
    except OSError as error:
        return record._replace(checked_at=time.time(), problem=first_line(error))
    is_same = (size, digest.hexdigest()) == (record.size, record.sha256)
    problem = "" if is_same else "not what was written"
    if problem:
        log.error("%s: %s", folder / record.name, problem)
    return record._replace(checked_at=time.time(), problem=problem)


def copy_erasures(state: Path, folder: Path) -> None:
    """What was erased, beside the backups: where the state folder is lost with its machine, a
    restore knows it from there. A list that is damaged takes no whole one's place: what can be
    read of it is added. Raises OSError, and UserError where one of the two cannot be read."""
    notes, other = ErasureNotes(state), ErasureNotes(folder)
    content_of_notes = notes.content()
    if content_of_notes is not None and content_of_notes.problem:
        others = set(other.read())
        if new_erasures := [one for one in content_of_notes.erasures if one not in others]:
            other.add(new_erasures)
        return
    if content_of_notes is not None:
        copy = other.path
        content = notes.path.read_bytes()
        if not copy.exists() or copy.read_bytes() != content:
            atomic_file.write(copy, content, atomic_file.OWNER_ALONE)
            atomic_file.sync_folder(folder)


def _database_size(engine: Engine) -> int:
    """In bytes."""
    if engine.dialect.name == "sqlite":
        return sum(
            Path(f"{engine.url.database}{end}").stat().st_size
            for end in ("", "-wal")
            if Path(f"{engine.url.database}{end}").exists()
        )
    with engine.connect() as connection:
        size = text("SELECT pg_database_size(current_database())")
        return int(connection.execute(size).scalar_one())
