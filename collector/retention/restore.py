"""A backup's content into an empty database, and its files to their places: all of it, or nothing.

The file is read to its end and compared with its manifest first. Files are staged beside their
places before the database's one transaction ends, and take their names after it (placement.py).
"""

from __future__ import annotations

import contextlib
import json
import logging
import tarfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, Table, func, insert, inspect, literal, select
from sqlalchemy.exc import SQLAlchemyError

from collector.access.audit_note import FILE as HEAD_FILE
from collector.access.audit_note import AuditNote, Head
from collector.access.command_access import finish_restore
from collector.access.secret import FILE
from collector.retention.archive import (
    SITE,
    TABLES,
    UNREADABLE,
    Content,
    OtherVersion,
    check,
    lines,
)
from collector.retention.backup import site_files
from collector.retention.erasing import apply_in, apply_notes
from collector.storage import database_note, lesson_numbers, placement
from collector.storage.columns import ReadableJson
from collector.storage.database import url_to_show
from collector.storage.erasure_notes import Erasure, ErasureNotes
from collector.storage.erasures import Erasures
from collector.storage.placement import Journal, StagedFile
from collector.storage.resend_mark import mark
from collector.storage.tables import audit, metadata
from edge.common.atomic_file import OWNER_ALONE
from edge.common.errors import UserError
from edge.common.worker import first_line

READABLE = 0o640
"""What the broker reads of the site, as its group."""

AT_ONCE = 1000
"""Rows of a backup in memory."""

log = logging.getLogger(__name__)


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
    erased after the backup, as noted in the state folder or given, is erased again. One that was
    interrupted is completed, or begins anew.
    """
    ErasureNotes(state).whole()  # else what it would erase again could be seen
    pending = placement.read(state)
    finish_restore(engine, state, alone=True)
    is_empty = _is_empty(engine)
    if not is_empty and pending is None:
        raise _not_empty(engine)
    with file or _open(source) as archive_file:
        try:
            content = check(archive_file)
        except OtherVersion:
            raise UserError(
                "made by another version of roommood", source, "install that version"
            ) from None
        except UNREADABLE as error:
            raise _no_backup(error, source) from None
        if not is_empty:
            if pending is None or pending.digest != content.digest:
                raise _not_empty(engine)
            return _counts(engine)  # of the one that was interrupted, and is whole now
        if not content.has_manifest:
            log.warning("%s: an earlier version wrote it; whether it is whole is not known", source)
        new = Restoration(engine, state, source, site)
        rows = new.run(archive_file, content, later_erasures)
    finish_restore(engine, state, alone=True)
    apply_notes(Erasures(engine, state))
    return rows


class Restoration:
    """Of one backup."""

    def __init__(self, engine: Engine, state: Path, source: Path, site: Path | None) -> None:
        self._engine, self._state, self._source = engine, state, source
        self._site = site if site is not None and not site_files(site) else None

    def run(
        self, file: IO[bytes], content: Content, later_erasures: Sequence[Erasure]
    ) -> dict[str, int]:
        """Until the commit; where that does not come about, nothing is left of it."""
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            files = self._files(content.files)
            head = self._state / HEAD_FILE
            paths = [head, *(one.path for one in files)]
            journal = placement.new_journal(self._engine, self._source.name, content.digest, paths)
            try:
                placement.stage(self._state, journal, files)
                with self._engine.begin() as connection:
                    rows = {
                        table.name: _put_table(connection, table, archive, content)
                        for table in TABLES
                    }
                    _finish_tables(connection)
                    apply_in(connection, Erasures(self._engine, self._state), later_erasures)
                    journal.mark(connection)
                    placement.stage_one(self._head(connection, head))
            except (*UNREADABLE, SQLAlchemyError) as error:
                self._give_up(journal)
                raise self._failure(error) from None
            except BaseException:
                self._give_up(journal)
                raise
        return rows

    def _give_up(self, journal: Journal) -> None:
        """A full disk lets files be removed."""
        with contextlib.suppress(OSError):
            placement.discard(self._state, journal)

    def _failure(self, error: Exception) -> UserError:
        if isinstance(error, SQLAlchemyError):
            reason = first_line(getattr(error, "orig", None) or error)
            return UserError(
                f"nothing was restored ({reason})",
                f"database {url_to_show(self._engine)}",
                "free space, or check the file with another copy of it",
            )
        if isinstance(error, OSError):
            where = error.filename or self._state
            reason = f"nothing was restored ({error.strerror})"
            return UserError(reason, where, "free space, and see who may write there")
        return _no_backup(error, self._source)

    def _files(self, contents: dict[str, bytes]) -> list[StagedFile]:
        files = [StagedFile(self._state / FILE, contents[FILE], OWNER_ALONE)]
        if self._site is not None:
            for name in sorted(contents.keys() - {FILE}):
                path = self._site / name.removeprefix(SITE)
                mode = OWNER_ALONE if path.parent == self._site else READABLE
                files.append(StagedFile(path, contents[name], mode))
        return files

    def _head(self, connection: Connection, path: Path) -> StagedFile:
        """Of the audit log that comes back; the note of how far one has come is never lowered."""
        last = connection.execute(select(audit).order_by(audit.c.number.desc()).limit(1)).first()
        head = Head(last.number, last.hash) if last else Head(0)
        note = AuditNote(self._state).read()
        if note is not None and note.number >= head.number:
            head = note
        return StagedFile(path, f"{head}\n".encode(), OWNER_ALONE)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise _no_backup(error, path) from None


def _no_backup(error: Exception, source: Path) -> UserError:
    return UserError(
        f"not a collector's backup, or not a whole one ({first_line(error)})",
        source,
        "use a file that `roommood collector backup` wrote",
    )


def _not_empty(engine: Engine) -> UserError:
    return UserError(
        "not empty",
        f"database {url_to_show(engine)}",
        "let 'database' name a new one, and delete this one once that has been seen to work",
    )


def _is_empty(engine: Engine) -> bool:
    with engine.connect() as connection:
        return not any(
            connection.execute(select(literal(1)).select_from(table).limit(1)).first()
            for table in metadata.sorted_tables
        )


def _counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in TABLES
        }


def _put_table(
    connection: Connection, table: Table, archive: tarfile.TarFile, content: Content
) -> int:
    count = 0
    content_lines = lines(archive, content.parts[table.name])
    while some := [json.loads(line) for line in islice(content_lines, AT_ONCE)]:
        _put_rows(connection, table, some)
        count += len(some)
    return count


def _finish_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        _mend_sequences(connection)
        lesson_numbers.mend(connection)
    mark(connection)  # what came after the backup, the devices have
    database_note.renew(connection)


def _put_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """PostgreSQL takes them as one stream, which asks it nothing for each row."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    texts = {
        column.name: column.type
        for column in table.columns
        if isinstance(column.type, ReadableJson)
    }
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{table.c[name].name}"' for name in names)
    with driver.cursor().copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([_database_value(row[name], texts.get(name)) for name in names])


def _database_value(value: Any, kind: Any) -> Any:
    if kind is None or (value is None and kind.impl_instance.none_as_null):
        return value
    return json.dumps(value)


def _mend_sequences(connection: Any) -> None:
    """PostgreSQL counts on from where its own counters stand, not from what was put in."""
    for table in metadata.sorted_tables:
        column = next(iter(inspect(table).primary_key))
        if column.name == "id":
            newest_id = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
            counter = func.pg_get_serial_sequence(table.name, "id")
            connection.execute(select(func.setval(counter, newest_id, False)))
