"""Files that belong to a database's new content: put in place after its commit, or not at all.

Each lies beside the place where it belongs, on the disk, before the commit. A journal names them,
and a mark that the same transaction puts into the database tells whether that was committed.
Whoever comes next, after a kill, then knows: the files take their names, which needs no room, or
they go.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, insert, select

from collector.storage.tables import settings
from edge.common import atomic_file
from edge.common.errors import UserError

FILE = "restore.json"
"""In the state folder."""

KEY = "restored"
"""In the table of settings: the number of the last journal whose content is there."""

END = ".restored"


class StagedFile(NamedTuple):
    path: Path
    content: bytes
    mode: int


class Journal(NamedTuple):
    """`number` is the mark; `source` the backup's name, `digest` its SHA-256."""

    number: str
    database: str
    source: str
    digest: str
    paths: Sequence[Path]

    def is_committed(self, connection: Connection) -> bool:
        mark = select(settings.c.value).where(settings.c.key == KEY)
        return bool(connection.execute(mark).scalar() == self.number)

    def mark(self, connection: Connection) -> None:
        connection.execute(delete(settings).where(settings.c.key == KEY))
        connection.execute(insert(settings).values(key=KEY, value=self.number))


def new_journal(engine: Engine, source: str, digest: str, paths: Sequence[Path]) -> Journal:
    return Journal(str(uuid4()), str(engine.url), source, digest, [p.absolute() for p in paths])


def read(state: Path) -> Journal | None:
    """None where nothing waits; raises UserError for a journal that cannot be read."""
    try:
        text = (state / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(str(error.strerror), state / FILE, "check 'state'") from None
    try:
        fields = json.loads(text)
        number, database, source, digest = (str(fields[name]) for name in Journal._fields[:-1])
        return Journal(number, database, source, digest, [Path(path) for path in fields["paths"]])
    except (ValueError, TypeError, KeyError):
        raise UserError(
            "an interrupted restore, of which nothing is known",
            state / FILE,
            "delete it, and restore the backup into a new database",
        ) from None


def stage(state: Path, journal: Journal, files: Sequence[StagedFile]) -> None:
    """All of it is on the disk when it returns; raises OSError."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = journal._asdict() | {"paths": [str(path) for path in journal.paths]}
    atomic_file.write(state / FILE, json.dumps(lines) + "\n", atomic_file.OWNER_ALONE)
    atomic_file.sync_folder(state)
    atomic_file.sync_folder(state.parent)
    for file in files:
        stage_one(file)


def stage_one(file: StagedFile) -> None:
    """On the disk when it returns; raises OSError."""
    place = _beside(file.path.absolute())
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # of an earlier try, or planted: never written to
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(handle, "wb") as output:
        os.fchmod(handle, file.mode)  # whatever the umask
        output.write(file.content)
        output.flush()
        os.fsync(handle)
    atomic_file.sync_folder(place.parent)


def put_in_place(journal: Journal) -> None:
    """Does no harm where another process does the same at the same time; raises UserError where it
    cannot be done."""
    for path in journal.paths:
        try:
            os.replace(_beside(path), path)
        except FileNotFoundError as error:
            if not path.exists():  # or it is done
                raise _failure(journal, path, error) from None
        except OSError as error:
            raise _failure(journal, path, error) from None
    _sync(journal)


def discard(state: Path, journal: Journal) -> None:
    """What was staged goes, also where it was not whole yet."""
    for path in journal.paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            _beside(path).unlink()
    end(state)


def end(state: Path) -> None:
    (state / FILE).unlink(missing_ok=True)
    atomic_file.sync_folder(state)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}{END}")


def _sync(journal: Journal) -> None:
    for folder in sorted({path.parent for path in journal.paths}):
        atomic_file.sync_folder(folder)


def _failure(journal: Journal, path: Path, error: OSError) -> UserError:
    return UserError(
        f"the restore of {journal.source} was interrupted and cannot be completed "
        f"({error.strerror})",
        path,
        "make its folder writable and start again",
    )
