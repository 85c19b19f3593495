"""What is kept, and for how long: retention, erasing, backup and restore."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import (
    JSON,
    Connection,
    Engine,
    Table,
    any_,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    text,
)

from collector.access.audit import AuditLog
from collector.access.audit_note import AuditNote, Head
from collector.access.secret import FILE
from collector.config import Retention
from collector.storage.database import begin, newest
from collector.storage.erasures import Erasures
from collector.storage.resend_mark import mark
from collector.storage.stepping import due_query
from collector.storage.store import Store
from collector.storage.tables import audit, deliveries, lessons, links, metadata, moods, sessions
from edge.common import atomic_file
from edge.common.errors import UserError
from edge.common.worker import Worker

log = logging.getLogger(__name__)

EVERY_S = 600.0
PATIENCE_S = 3600.0
"""Years of windows may be due at once, after the settings were changed."""
DAY_S = 86_400.0
ROWS = 5000
"""In one transaction, so that windows that arrive meanwhile do not wait."""


AT_ONCE = 1000
"""Rows of a backup in memory."""

LEVEL = 3
"""Of compression: a backup is waited for, and its file is kept for a while only."""

SITE = "site/"
"""In a backup: the site's folder."""
SITE_FILE = re.compile(r"site/(broker/)?[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""What a backup holds of it; nothing of the sort leads out of the folder."""


class RetentionWorker(Worker):
    """Deletes what is past its time."""

    def __init__(
        self,
        engine: Engine,
        kept: Callable[[str], Retention],
        audit_log: AuditLog | None = None,
        audit_days: int = 730,
        witness: Callable[[], None] = lambda: None,
    ) -> None:
        self._witness = witness
        super().__init__("retention", EVERY_S, patience_s=PATIENCE_S)
        self._audit, self._audit_days = audit_log, audit_days
        self._engine = engine
        self._kept = kept

    def run_once(self) -> None:
        self.round(time.time())
        with self.attempt("audit log's witness"):
            self._witness()

    def round(self, now: float) -> int:
        """Deletes what is due at a moment (seconds since 1970); returns how many windows."""
        gone = 0
        sites = {site for site, _ in Store(self._engine).rooms()}
        for site in sorted(sites | self._sites_of_lessons()):
            kept = self._kept(site)
            before = now - kept.windows_days * DAY_S
            with self.attempt(f"site {site}"):
                for where in _due(self._engine, site, before):
                    gone += _delete_windows(self._engine, *where)
                old = lessons.c.end < now - kept.lessons_days * DAY_S
                with self._engine.begin() as connection:
                    connection.execute(delete(lessons).where(lessons.c.site == site, old))
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires < now))
            connection.execute(delete(deliveries).where(deliveries.c.given_up))
        if self._audit is not None:
            with self.attempt("audit log"):
                self._audit.tell_folded()
                self._audit.prune(now - self._audit_days * DAY_S)
        if gone:
            log.info("retention: %d windows deleted", gone)
        return gone

    def _sites_of_lessons(self) -> set[str]:
        with self._engine.connect() as connection:
            return {row.site for row in connection.execute(select(lessons.c.site).distinct())}


def _due(engine: Engine, site: str, before: float) -> Iterator[tuple[Any, ...]]:
    """Conditions for the windows that are past their time, each of which an index answers.

    By our own clock where the device's is not to be believed: a window goes so many days after it
    came, if it says that its clock was not set, or tells of a time that had not come yet.
    """
    believed = or_(moods.c.clock == "synced", moods.c.received < before)
    with engine.connect() as connection:
        rooms = connection.execute(due_query(site, before, believed)).scalars().all()
    for room in rooms:
        yield moods.c.site == site, moods.c.room == room, moods.c.start < before, believed
    yield moods.c.site == site, moods.c.received < before, moods.c.start > moods.c.received


def erase_room(engine: Engine, site: str, room: str) -> int:
    """Deletes a room's windows and lessons, what waits to be told of it, and every link to it;
    returns how many windows. What comes later of the time until now is not stored either."""
    Erasures(engine).add(site, room, 0.0, time.time())
    with engine.begin() as connection:
        connection.execute(delete(lessons).where(lessons.c.site == site, lessons.c.room == room))
        connection.execute(delete(links).where(links.c.site == site, links.c.room == room))
    _withdraw(engine, site, room)
    return _delete_windows(engine, moods.c.site == site, moods.c.room == room)


def erase_span(engine: Engine, site: str, room: str, begin: float, end: float) -> int:
    """Deletes the windows of a time, as a lesson's are with the lesson."""
    Erasures(engine).add(site, room, begin, end)
    _withdraw(engine, site, room)
    within = (moods.c.start >= begin, moods.c.start < end)
    return _delete_windows(engine, moods.c.site == site, moods.c.room == room, *within)


def _withdraw(engine: Engine, site: str, room: str) -> None:
    """What other systems have not been told of a room yet, they are not told any more."""
    with engine.begin() as connection:
        for row in connection.execute(select(deliveries.c.id, deliveries.c.body)).all():
            about = json.loads(row.body).get("data", {})
            if (about.get("site"), about.get("room")) == (site, room):
                connection.execute(delete(deliveries).where(deliveries.c.id == row.id))


def _delete_windows(engine: Engine, *where: Any) -> int:
    gone = 0
    while True:
        some = select(moods.c.id).where(*where).limit(ROWS).scalar_subquery()
        # As an array PostgreSQL looks each of them up; as a set it read the whole table for them.
        sqlite = engine.dialect.name == "sqlite"
        these = moods.c.id.in_(some) if sqlite else moods.c.id == any_(func.array(some))
        with engine.begin() as connection:
            count = connection.execute(delete(moods).where(these)).rowcount
        gone += count
        if count < ROWS:
            break
    if gone and engine.dialect.name == "sqlite":
        # Deleted rows are overwritten; the journal may still hold them until it is emptied.
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return gone


def backup(
    engine: Engine,
    state: Path,
    out: Path,
    site: Path | None = None,
    file: IO[bytes] | None = None,
) -> dict[str, int]:
    """Writes everything, the collector's key and the site's authority, into one tar.

    Into `file` where it is open already. Returns the rows of each table.
    """
    try:
        # One moment of the database, whatever arrives meanwhile.
        sqlite = engine.dialect.name == "sqlite"
        steady = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        with file or out.open("wb") as opened:
            os.fchmod(opened.fileno(), 0o600)  # it holds the key and the passwords' hashes
            rows = _write(opened, steady, state, site)
    except OSError as error:
        raise UserError(str(error.strerror), out, "choose another place") from None
    return rows


def _write(file: IO[bytes], engine: Engine, state: Path, site: Path | None) -> dict[str, int]:
    rows: dict[str, int] = {}
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=LEVEL) as archive:
        with begin(engine, "DEFERRED") as connection:
            for table in metadata.sorted_tables:
                if table is not sessions:
                    rows[table.name] = _write_table(archive, connection, table)
        _put(archive, "revision", newest().encode())
        _put(archive, FILE, (state / FILE).read_bytes())
        for path in _of_site(site):
            _put(archive, f"{SITE}{path.relative_to(str(site))}", path.read_bytes())
    return rows


def _write_table(archive: tarfile.TarFile, connection: Connection, table: Table) -> int:
    """Its rows as lines, by way of a file: an archive wants to know their length first."""
    count = 0
    streamed = connection.execution_options(yield_per=ROWS).execute(select(table))
    names = [column.name for column in table.columns]
    with tempfile.TemporaryFile() as lines:
        for row in streamed:
            lines.write(json.dumps(dict(zip(names, row, strict=True))).encode() + b"\n")
            count += 1
        info = _info(f"{table.name}.jsonl", lines.tell())
        lines.seek(0)
        archive.addfile(info, lines)
    return count


def restore(
    engine: Engine,
    state: Path,
    source: Path,
    site: Path | None = None,
    file: IO[bytes] | None = None,
) -> dict[str, int]:
    """Fills an empty database from a backup; raises UserError for one that is not empty.

    Of the site what is there stays: two authorities in one folder would fit neither.
    """
    rows: dict[str, int] = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise UserError("not empty", "database", "restore into a new one: set 'database'")
    try:
        with (
            file or source.open("rb") as opened,
            tarfile.open(fileobj=opened, mode="r:gz") as archive,
        ):
            names = set(archive.getnames())
            if _get(archive, "revision").decode() != newest():
                raise UserError(
                    "made by another version of roommood", source, "install that version"
                )
            with engine.begin() as connection:
                for table in metadata.sorted_tables:
                    if f"{table.name}.jsonl" not in names:
                        continue
                    lines = _opened(archive, f"{table.name}.jsonl")
                    rows[table.name] = 0
                    while some := [json.loads(line) for line in islice(lines, AT_ONCE)]:
                        _put_rows(connection, table, some)
                        rows[table.name] += len(some)
                if engine.dialect.name == "postgresql":
                    _mend_sequences(connection)
                mark(connection)  # what came after the backup, the devices have
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic_file.write(state / FILE, _get(archive, FILE), atomic_file.OWNER_ALONE)
            if site is not None and not _of_site(site):
                for name in sorted(names):
                    _restore_site_file(archive, name, site)
            with engine.connect() as connection:
                newest_entry = select(audit).order_by(audit.c.number.desc()).limit(1)
                last = connection.execute(newest_entry).first()
            AuditNote(state).raise_to(Head(last.number, last.hash) if last else Head(0))
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise UserError(
            f"not a collector's backup ({error})",
            source,
            "use a file that `roommood collector backup` wrote",
        ) from None
    return rows


def _put_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """PostgreSQL takes them as one stream, which asks it nothing for each row."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    texts = {column.name: column.type for column in table.columns if isinstance(column.type, JSON)}
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{table.c[name].name}"' for name in names)
    with driver.cursor().copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([_written(row[name], texts.get(name)) for name in names])


def _written(value: Any, kind: JSON | None) -> Any:
    if kind is None or (value is None and kind.none_as_null):
        return value
    return json.dumps(value)


def _of_site(site: Path | None) -> list[Path]:
    """The site's files but the key that signs updates, which is not the collector's."""
    if site is None:
        return []
    return sorted(path for part in (site, site / "broker") for path in part.glob("*.*"))


def _mend_sequences(connection: Any) -> None:
    """PostgreSQL counts on from where its own counters stand, not from what was put in."""
    for table in metadata.sorted_tables:
        column = next(iter(inspect(table).primary_key))
        if column.name == "id":
            newest_id = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
            counter = func.pg_get_serial_sequence(table.name, "id")
            connection.execute(select(func.setval(counter, newest_id, False)))


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_info(name, len(content)), io.BytesIO(content))


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(time.time()), 0o600
    return info


def _restore_site_file(archive: tarfile.TarFile, name: str, site: Path) -> None:
    """Where a name says, if it is one that a backup gives; the archive chooses no other place."""
    if not name.startswith(SITE):
        return
    if SITE_FILE.fullmatch(name) is None:
        raise ValueError(f"{name[:80]!r} does not belong in a backup")
    path = site / name.removeprefix(SITE)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_file.write(path, _get(archive, name), 0o600 if path.parent == site else 0o640)


def _get(archive: tarfile.TarFile, name: str) -> bytes:
    return _opened(archive, name).read()


def _opened(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """A plain file: a link would lead elsewhere, a device to anything."""
    member = archive.getmember(name)
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        raise ValueError(f"{name[:80]!r} is no plain file")
    return file
