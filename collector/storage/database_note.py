"""Which database a collector uses, and how far it had come, noted in its state folder as well.

A start makes what is not there: an empty database in place of one whose disk is not mounted, or of
a server that was set up anew. And one that was put back by other means than `restore`, or whose
journal was cut, looks like any other. So both sides carry one identity and one number, which goes
on while something is stored: first in the database, then in the note.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, func, insert, make_url, select

from collector.storage import placement, resend_mark
from collector.storage.database import begin
from collector.storage.tables import accounts, lessons, moods, settings
from edge.common import atomic_file
from edge.common.address import mask
from edge.common.errors import UserError

log = logging.getLogger(__name__)

FILE = "database.json"
"""In the state folder."""

KEY = "identity"
"""In the table of settings."""

EVERY_S = 10.0
"""Between two numbers: what is lost of less than that goes unnoticed."""

HAS_DATA = (moods, accounts, lessons)


class DatabaseNote(NamedTuple):
    """`place` names the database; `restore` is the number of the last restore
    that it had then."""

    place: str
    identity: str
    number: int
    restore: str | None


def read(state: Path) -> DatabaseNote | None:
    """None where there is none; raises UserError for one that cannot be read."""
    path = state / FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        place, identity = str(fields["place"]), str(fields["identity"])
        return DatabaseNote(place, identity, int(fields["number"]), fields["restore"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(str(error.strerror), path, "check 'state'") from None
    except (ValueError, TypeError, KeyError):
        raise UserError("is damaged", path, "delete it; the next start writes it anew") from None


def check_file(database: str, state: Path) -> None:
    """Before it is opened, which would make it: raises UserError where SQLite's file is not there,
    or empty, though this collector has stored something."""
    note, address = read(state), make_url(database)
    name = address.database
    if note is None or not note.number or address.get_backend_name() != "sqlite":
        return
    if not name or name == ":memory:":
        return
    try:
        is_there = Path(name).stat().st_size > 0
    except OSError:
        is_there = False
    if not is_there:
        raise _refusal("is not there, or empty", database, note, state)


class DatabaseIdentity:
    """Of one database and one state folder; belongs to one thread at a time.

    Raises UserError for a note that cannot be read.
    """

    def __init__(self, engine: Engine, state: Path) -> None:
        self._engine, self._state = engine, state
        self._last = read(state)
        self._identity, self._number = "", 0
        self._newest: tuple[Any, ...] = ()

    def verify(self, has_key: bool) -> None:
        """Before anything is written; raises UserError for a database that is not the one of the
        note, and for one that was used with a key where there is none."""
        note = self._last
        with self._engine.connect() as connection:
            own, restore = _read(connection, KEY), _read(connection, placement.KEY)
            has_data = _has_data(connection)
        if own is not None and not has_key:
            raise _no_key(self._state)
        if note is None or not note.number or restore != note.restore:
            return  # the first start, or it was restored since
        if own is None and not has_data:
            raise _refusal("is empty", _address(self._engine), note, self._state)
        if own is not None and own["identity"] != note.identity:
            what = "is not the one that this collector used"
            raise _refusal(what, _address(self._engine), note, self._state)

    def adopt(self) -> None:
        """At a start, after `verify`: both sides know each other. Of an older copy of the database,
        what devices still have is wanted again."""
        note = self._last
        with begin(self._engine) as connection:
            own, restore = _read(connection, KEY), _read(connection, placement.KEY)
            self._identity = own["identity"] if own else str(uuid4())
            numbers = (own["number"] if own else 0, note.number if note else 0)
            self._number = max(numbers)
            if numbers[0] < numbers[1] and note is not None and restore == note.restore:
                self._want_again(connection)
            if own is None or self._number != numbers[0]:
                self._write(connection)
            self._newest = _newest(connection)
        self._note(restore)

    def _want_again(self, connection: Connection) -> None:
        resend_mark.mark(connection)
        log.error(
            "database: it is older than when it was last used: it was put back, or its end was "
            "lost; devices are asked for what they still have"
        )

    def advance(self) -> None:
        """The next number, if something was stored since the last; raises OSError, SQLAlchemyError
        or UserError."""
        if not self._state.is_dir():
            raise UserError(
                "is gone", self._state, "mount it or put it back, and restart the collector"
            )
        with self._engine.connect() as connection:
            newest = _newest(connection)
            restore = _read(connection, placement.KEY)
        if newest == self._newest:
            return
        self._number += 1
        with begin(self._engine) as connection:
            self._write(connection)
        self._note(restore)
        self._newest = newest

    def _write(self, connection: Connection) -> None:
        value = {"identity": self._identity, "number": self._number}
        connection.execute(delete(settings).where(settings.c.key == KEY))
        connection.execute(insert(settings).values(key=KEY, value=value))

    def _note(self, restore: str | None) -> None:
        place = mask(_address(self._engine))
        note = DatabaseNote(place, self._identity, self._number, restore)
        content = json.dumps(note._asdict()) + "\n"
        atomic_file.write(self._state / FILE, content, atomic_file.OWNER_ALONE)


def _read(connection: Connection, key: str) -> Any:
    return connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar()


def _has_data(connection: Connection) -> bool:
    return any(connection.execute(select(t.c.id).limit(1)).first() for t in HAS_DATA)


def _newest(connection: Connection) -> tuple[Any, ...]:
    """Changes with every window, account and lesson."""
    return tuple(connection.execute(select(func.max(t.c.id))).scalar() for t in HAS_DATA)


def _address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _refusal(what: str, database: str, note: DatabaseNote, state: Path) -> UserError:
    place = mask(database)
    before = "" if note.place == place else f"; it used {note.place}"
    return UserError(
        f"{what}{before}",
        f"database {place}",
        "put it back, or mount its disk, or restore a backup: `roommood collector restore`; to "
        f"begin with this one all the same, delete {state / FILE}",
    )


def _no_key(state: Path) -> UserError:
    return UserError(
        "the collector's key is not there, though this database was used with one",
        state,
        "mount the folder or put it back, or restore a backup; to go on with a new key: "
        f"`head -c 32 /dev/urandom | sudo tee {state}/secret.key >/dev/null`, as the collector's "
        "user, and everybody signs in anew",
    )
