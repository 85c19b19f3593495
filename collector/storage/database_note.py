"""Which database a collector uses, and how far it had come, noted in its state folder as well.

A start makes what is not there: an empty database in place of one whose disk is not mounted, or of
a server that was set up anew. And one that was put back by other means than `restore`, or whose
journal was cut, looks like any other. So both sides carry one identity and one number, which goes
on while something is stored: first in the database, then in the note. A restore gives the database
a new identity and notes that too: nothing else is taken for a restored one.
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

MOST_BYTES = 64 * 1024
MOST_NUMBER = 2**62
"""Past these it is no note of ours."""

RESTART = "mount it or put it back, and restart the collector"


class DatabaseNote(NamedTuple):
    """`place` names the database; `restore` is the number of the last restore
    that it had then. With a `good_end` nobody has used it since, and nothing was damaged."""

    place: str
    identity: str
    number: int
    restore: str | None
    good_end: bool = False


class _Mark(NamedTuple):
    """The database's own half."""

    identity: str
    number: int


def read(state: Path) -> DatabaseNote | None:
    """None where there is none; raises UserError for one that cannot be read."""
    path = state / FILE
    try:
        with path.open("rb") as file:
            return _parse(file.read(MOST_BYTES + 1))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(str(error.strerror), path, "check 'state'") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        remedy = "delete it, if 'database' names the right one; the next start writes it anew"
        raise UserError("is damaged", path, remedy) from None


def _parse(content: bytes) -> DatabaseNote:
    """Raises ValueError, TypeError, KeyError or RecursionError for what no collector wrote."""
    if len(content) > MOST_BYTES:
        raise ValueError
    fields = json.loads(content)
    mark, place, restore = _parse_mark(fields), fields["place"], fields["restore"]
    if not isinstance(place, str) or not (restore is None or isinstance(restore, str)):
        raise TypeError
    return DatabaseNote(place, mark.identity, mark.number, restore, fields.get("good_end") is True)


def _parse_mark(fields: Any) -> _Mark:
    identity, number = fields["identity"], fields["number"]
    if not isinstance(identity, str) or type(number) is not int:
        raise TypeError
    if not identity or not 0 <= number <= MOST_NUMBER:
        raise ValueError
    return _Mark(identity, number)


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
        self._restore: str | None = None
        self._newest: tuple[Any, ...] = ()

    def verify(self, has_key: bool) -> None:
        """Before anything is written; raises UserError for a database that is not the one of the
        note, and for one that was used with a key where there is none."""
        note = self._last
        with self._engine.connect() as connection:
            own, restore = _own(connection), _read(connection, placement.KEY)
            has_data = _has_data(connection)
        if own is not None and not has_key:
            raise _no_key(self._state)
        if note is None:
            return  # the first start
        if what := _difference(note, own, restore, has_data):
            raise _refusal(what, _address(self._engine), note, self._state)

    def adopt(self) -> None:
        """At a start, after `verify`: both sides know each other. Of an older copy of the database,
        what devices still have is wanted again."""
        note = self._last
        with begin(self._engine) as connection:
            own, self._restore = _own(connection), _read(connection, placement.KEY)
            self._identity = own.identity if own else str(uuid4())
            numbers = (own.number if own else 0, note.number if note else 0)
            self._number = max(numbers)
            if numbers[0] < numbers[1]:
                self._want_again(connection)
            if own is None or self._number != numbers[0]:
                _write(connection, _Mark(self._identity, self._number))
            self._newest = _newest(connection)
        self._note()

    def _want_again(self, connection: Connection) -> None:
        resend_mark.mark(connection)
        log.error(
            "database: it is older than when it was last used: it was put back, or its end was "
            "lost; devices are asked for what they still have"
        )

    def advance(self) -> None:
        """The next number, if something was stored since the last; raises OSError, SQLAlchemyError
        or UserError."""
        self._check_folder()
        with self._engine.connect() as connection:
            newest = _newest(connection)
        if newest == self._newest:
            return
        self._number += 1
        with begin(self._engine) as connection:
            _write(connection, _Mark(self._identity, self._number))
        self._note()
        self._newest = newest

    def end(self) -> None:
        """In good order, when nobody uses the database any more; the next start need not look
        through it. Raises OSError or UserError."""
        self._check_folder()
        self._note(good_end=True)

    def _check_folder(self) -> None:
        """Where a disk was unmounted there is often a folder still; what is written into that is
        lost. Nor is the note of a restore beside this collector ever written over."""
        if not self._state.is_dir():
            raise UserError("is gone", self._state, RESTART)
        note = read(self._state)
        if note is None:
            what = f"was replaced, or another has its place ({FILE} is gone)"
            raise UserError(what, self._state, RESTART)
        if note.identity != self._identity:
            what = f"now belongs to the database {note.place}"
            raise UserError(what, self._state, "restart the collector, with that database")

    def _note(self, good_end: bool = False) -> None:
        mark = _Mark(self._identity, self._number)
        _write_note(self._state, self._engine, mark, self._restore, good_end)


def renew(connection: Connection) -> None:
    """Of a database that is being restored: what else comes from the same backup, and what was
    there before, is another."""
    _write(connection, _Mark(str(uuid4()), 1))


def note_restored(engine: Engine, state: Path) -> None:
    """This state folder has restored it: from now on that is the right one. Doing it twice does no
    harm; raises OSError."""
    with begin(engine) as connection:
        own, restore = _own(connection), _read(connection, placement.KEY)
        if own is None:  # an earlier version began to restore it
            renew(connection)
            own = _own(connection)
    if own is not None:
        _write_note(state, engine, _Mark(own.identity, max(1, own.number)), restore)


def _difference(note: DatabaseNote, own: _Mark | None, restore: Any, has_data: bool) -> str:
    """Why it is not the database of the note, or nothing."""
    if own is not None and own.identity != note.identity:
        return "is not the one that this collector used"
    if own is None and not note.number:
        return ""  # nothing was ever stored
    if own is None and not has_data:
        return "is empty"
    if restore == note.restore:
        return ""
    if note.restore is None:
        return "was restored, and this state folder does not know of it"
    return "is not the one that was restored last"


def _write(connection: Connection, mark: _Mark) -> None:
    connection.execute(delete(settings).where(settings.c.key == KEY))
    connection.execute(insert(settings).values(key=KEY, value=mark._asdict()))


def _write_note(
    state: Path, engine: Engine, mark: _Mark, restore: str | None, good_end: bool = False
) -> None:
    note = DatabaseNote(mask(_address(engine)), mark.identity, mark.number, restore, good_end)
    content = json.dumps(note._asdict()) + "\n"
    atomic_file.write(state / FILE, content, atomic_file.OWNER_ALONE)


def _own(connection: Connection) -> _Mark | None:
    """None where it has none yet; nor does one count that nobody wrote so, which makes of it an
    older copy."""
    try:
        fields = _read(connection, KEY)
        return None if fields is None else _parse_mark(fields)
    except (ValueError, TypeError, KeyError):
        return None


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
