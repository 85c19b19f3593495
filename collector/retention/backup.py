"""All that is stored, in one file; `restore` brings it back."""

from __future__ import annotations

import json
import tarfile
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, Table, select

from collector.access.secret import FILE
from collector.retention.archive import SITE, SITE_FILE, SMALL, TABLES, ArchiveWriter
from collector.retention.whole_file import whole_file
from collector.storage.database import begin
from edge.common.errors import UserError

ROWS = 5000
"""Read at a time, and in one part of a backup: as many as are in memory."""

LEVEL = 3
"""Of compression: a backup is waited for, and its file is kept for a while only."""


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
        writer = ArchiveWriter(archive)
        with begin(engine, "DEFERRED") as connection:
            for table in TABLES:
                rows[table.name] = _write_table(writer, connection, table)
        writer.put(FILE, (state / FILE).read_bytes())
        files = site_files(site)
        if large := [path for path in files if path.stat().st_size > SMALL]:
            raise UserError(
                "too large for a site's file, so that no restore would take it",
                large[0],
                "move what does not belong there out of the site's folder",
            )
        if sum(path.stat().st_size for path in files) > 2 * SMALL:
            raise UserError(
                "too much for a site's files, so that no restore would take them",
                str(site),
                "move what does not belong there out of the site's folder",
            )
        for path in files:
            writer.put(f"{SITE}{path.relative_to(str(site))}", path.read_bytes())
        writer.end()
    return rows


def _write_table(writer: ArchiveWriter, connection: Connection, table: Table) -> int:
    """Its rows as lines, in parts: an archive wants to know the length of each first."""
    total = 0
    names = [column.name for column in table.columns]
    batches = connection.execution_options(yield_per=ROWS).execute(select(table)).partitions()
    for part in count(1):
        rows = next(batches, [])
        if not rows and part > 1:
            break
        lines = [json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows]
        writer.put(f"{table.name}-{part:06d}.jsonl", "".join(lines).encode(), len(rows))
        total += len(rows)
    return total


def site_files(site: Path | None) -> list[Path]:
    """The site's files but the key that signs updates, which is not the collector's.

    What a killed write left beside them belongs to nobody.
    """
    if site is None:
        return []
    files = (path for part in (site, site / "broker") for path in part.glob("*.*"))
    return sorted(
        path
        for path in files
        if SITE_FILE.fullmatch(f"{SITE}{path.relative_to(site)}") and path.is_file()
    )
