"""All that is stored, in one file; and back from it."""

from __future__ import annotations

import io
import json
import re
import tarfile
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import JSON, Connection, Engine, Table, func, insert, inspect, select

from collector.access.audit_note import AuditNote, Head
from collector.access.secret import FILE
from collector.retention.erasing import apply_noted
from collector.retention.whole_file import whole_file
from collector.storage.database import NEWEST, begin
from collector.storage.erasure_notes import Erasure
from collector.storage.erasures import Erasures
from collector.storage.resend_mark import mark
from collector.storage.tables import audit, metadata, sessions
from edge.common import atomic_file
from edge.common.errors import UserError

ROWS = 5000
"""Read at a time."""

AT_ONCE = 1000
"""Rows of a backup in memory."""

LEVEL = 3
"""Of compression: a backup is waited for, and its file is kept for a while only."""

SITE = "site/"
"""In a backup: the site's folder."""
SITE_FILE = re.compile(r"site/(broker/)?[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""What a backup holds of it; nothing of the sort leads out of the folder."""


def backup(
    engine: Engine,
    state: Path,
    out: Path,
    site: Path | None = None,
    file: IO[bytes] | None = None,
) -> dict[str, int]:
    """Writes everything, the collector's key and the site's authority, into one tar.

    Into `file` where it is open already. A backup that was there stays until this one is whole.
    Returns the rows of each table.
    """
    try:
        # One moment of the database, whatever arrives meanwhile.
        sqlite = engine.dialect.name == "sqlite"
        steady = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        # It holds the key and the passwords' hashes: nobody else can read it.
        with nullcontext(file) if file else whole_file(out) as archive_file:
            rows = _write(archive_file, steady, state, site)
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
        _put(archive, "revision", NEWEST.encode())
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
    later_erasures: Sequence[Erasure] = (),
) -> dict[str, int]:
    """Fills an empty database from a backup; raises UserError for one that is not empty.

    Of the site what is there stays: two authorities in one folder would fit neither. What was
    erased after the backup, as noted in the state folder or given, is erased again.
    """
    rows: dict[str, int] = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise UserError(
                    "not empty",
                    f"database {engine.url!r}",
                    "let 'database' name a new one, and delete this one once that has been seen to "
                    "work",
                )
    try:
        with (
            file or source.open("rb") as archive_file,
            tarfile.open(fileobj=archive_file, mode="r:gz") as archive,
        ):
            names = set(archive.getnames())
            if _get(archive, "revision").decode() != NEWEST:
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
    erasures = Erasures(engine, state)
    if later_erasures:
        erasures.note(later_erasures)
    apply_noted(erasures)
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
