"""Who may sign in: names, roles, rooms; passwords as Argon2 has them."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from collector.access import hashing
from collector.storage.tables import account_rooms, accounts, lessons, links, sessions, tokens
from edge.common.errors import UserError

Role = Literal["administrator", "it", "teacher", "viewer"]
"""`viewer` is whoever has a link; no account has that role."""

TEACHING = ("administrator", "teacher")
ROLES: tuple[Role, ...] = ("administrator", "it", "teacher")
Room = tuple[str, str]
"""(site, room)."""

SHORTEST = 10
LONGEST = 256
NAME = re.compile(r"[\w][\w.@ -]{0,62}[\w]|[\w]")
ROOM = re.compile(r"([a-z0-9-]{1,32})/([a-z0-9-]{1,32})")

NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "FJyrfZSFdJ4D7+WHS7l5YQ$d9d5lqfgBB6KAmBo+o2YO+MMJ5cFEM6azUKEtW19cSU"
)
"""Of a password that nobody knows, so that a name that is not there takes as long. Written down,
since making one takes a tenth of a start."""


CONFIRMED_S = 86_400.0
"""For so long counts what the provider said at the last sign-in: who somebody is, which groups."""

RESERVED_NAMES = re.compile(
    r"the (collector|command line)|a canary room|somebody|link \d+|.* by token .*", re.IGNORECASE
)
"""What the audit log calls others than accounts."""


class Account(NamedTuple):
    """Somebody who may sign in."""

    id: int
    name: str
    role: Role
    rooms: frozenset[Room]
    local: bool
    """Whether there is a password; else the school's provider signs them in."""
    display: str | None = None
    """What the provider calls them: to be shown beside the name, and for nothing else."""
    timetable: str | None = None
    """What the timetable calls them."""
    has_lapsed: bool = False
    """Whether the provider has not said for too long that they still belong here."""


class Accounts:
    """All accounts of one database."""

    def __init__(self, engine: Engine, confirmed_s: float = CONFIRMED_S) -> None:
        self._engine = engine
        self._confirmed_s = confirmed_s

    def add(
        self,
        name: str,
        role: str,
        rooms: Iterable[Room] = (),
        password: str | None = None,
        subject: str | None = None,
        display: str | None = None,
    ) -> Account:
        """Raises UserError for a name that is taken, a role unknown, or a password too short.

        Whoever has a password is called in the timetable as here, since an administrator chose the
        name; for the provider's people an administrator has to say it, see `call`.
        """
        _check_name(name)
        password_hash = None if password is None else _hash(password)
        row = {
            "name": name,
            "role": _role(role),
            "password": password_hash,
            "subject": subject,
            "display": display,
            "confirmed": time.time() if subject else None,
            "timetable": None if subject else name,
            "created": time.time(),
        }
        try:
            with self._engine.begin() as connection:
                primary_key = connection.execute(insert(accounts).values(row)).inserted_primary_key
                number = int(primary_key[0]) if primary_key else 0
                _set_rooms(connection, number, rooms)
        except IntegrityError:
            raise UserError(
                "this account exists already", f"'{name}'", "choose another name"
            ) from None
        return self.by_id(number)

    def change(
        self,
        account: Account,
        *,
        role: str | None = None,
        rooms: Iterable[Room] | None = None,
        password: str | None = None,
    ) -> None:
        """A new password ends every session, token and share link; a room that is taken away ends
        the lesson that the account holds there, and its links to it."""
        values: dict[str, str] = {}
        if role is not None:
            values["role"] = _role(role)
        if password is not None:
            values["password"] = _hash(password)
        with self._engine.begin() as connection:
            if account.role == "administrator" and role not in (None, "administrator"):
                _keep_one(connection)
            if values:
                where = accounts.c.id == account.id
                connection.execute(update(accounts).where(where).values(values))
            if rooms is not None:
                _set_rooms(connection, account.id, rooms)
            if role is not None or rooms is not None:
                _end_elsewhere(connection, account.id, role or account.role)
            if password is not None:
                for table in (sessions, tokens, links):
                    connection.execute(delete(table).where(table.c.account == account.id))

    def call(self, account: Account, name: str | None) -> None:
        """What the timetable calls somebody; raises UserError where it calls another one so."""
        statement = update(accounts).where(accounts.c.id == account.id)
        try:
            with self._engine.begin() as connection:
                connection.execute(statement.values(timetable=name or None))
        except IntegrityError:
            raise UserError(
                "the timetable calls another account so", f"'{name}'", "choose another name"
            ) from None

    def confirm(self, account: Account, display: str | None) -> None:
        """The provider has just said who this is."""
        values = {"confirmed": time.time(), "display": display}
        with self._engine.begin() as connection:
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))

    def lapse(self, account: Account) -> None:
        """The provider has said that they do not belong here any more."""
        with self._engine.begin() as connection:
            where = accounts.c.id == account.id
            connection.execute(update(accounts).where(where).values(confirmed=0.0))
            connection.execute(delete(sessions).where(sessions.c.account == account.id))

    def remove(self, account: Account) -> None:
        """Raises UserError for the last administrator."""
        with self._engine.begin() as connection:
            if account.role == "administrator":
                _keep_one(connection)
            connection.execute(delete(accounts).where(accounts.c.id == account.id))

    def verify(self, name: str, password: str) -> Account | None:
        """The account that this password opens; takes as long where there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(accounts).where(accounts.c.name == name)).first()
        password_hash = row.password if row is not None and row.password else NOBODY
        try:
            hashing.verify(password_hash, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return None
        if row is None or not row.password:
            return None
        account = self.by_id(row.id)
        if hashing.is_old(password_hash):
            with self._engine.begin() as connection:
                values = {"password": hashing.hash_password(password)}
                connection.execute(update(accounts).where(accounts.c.id == row.id).values(values))
        return account

    def by_name(self, name: str) -> Account:
        account = self._one(accounts.c.name == name)
        if account is None:
            raise UserError("no such account", f"'{name}'", "see `roommood collector account list`")
        return account

    def by_name_or_none(self, name: str) -> Account | None:
        return self._one(accounts.c.name == name)

    def by_subject(self, subject: str) -> Account | None:
        return self._one(accounts.c.subject == subject)

    def by_id(self, number: int) -> Account:
        account = self._one(accounts.c.id == number)
        if account is None:
            raise UserError("no such account", f"account {number}", "see the list of accounts")
        return account

    def all(self) -> list[Account]:
        with self._engine.connect() as connection:
            numbers = connection.execute(select(accounts.c.id).order_by(accounts.c.name)).scalars()
            return [self.by_id(number) for number in list(numbers)]

    def is_empty(self) -> bool:
        return not self._count()

    def has_administrator(self) -> bool:
        return bool(self._count(accounts.c.role == "administrator"))

    def display_name(self, number: int | None) -> str | None:
        """How people know an account."""
        if number is None:
            return None
        account = self.by_id(number)
        return account.display or account.name

    def _count(self, *where: ColumnElement[bool]) -> int:
        with self._engine.connect() as connection:
            count = select(func.count()).select_from(accounts).where(*where)
            return int(connection.execute(count).scalar_one())

    def _one(self, where: ColumnElement[bool]) -> Account | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(accounts).where(where)).first()
            if row is None:
                return None
            own = select(account_rooms).where(account_rooms.c.account == row.id)
            rooms = frozenset((room.site, room.room) for room in connection.execute(own))
        local = row.password is not None
        has_lapsed = not local and (row.confirmed or 0.0) < time.time() - self._confirmed_s
        # Of somebody without a password and without a provider nothing is to be confirmed.
        has_lapsed = has_lapsed and row.subject is not None
        details = (row.display, row.timetable, has_lapsed)
        return Account(row.id, row.name, row.role, rooms, local, *details)


def read_room(text: str) -> Room:
    """`site/room`; raises UserError for anything else."""
    match = ROOM.fullmatch(text.strip())
    if match is None:
        raise UserError("not a room", f"'{text}'", "write site/room, as in school/r101")
    return match.group(1), match.group(2)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UserError(
            "not a valid account name", f"{name[:70]!r}", "choose 1 to 64 letters, digits, . @ -"
        )
    if RESERVED_NAMES.fullmatch(name):
        raise UserError("the audit log calls others so", f"'{name}'", "choose another name")
    alphabets = {unicodedata.name(c, "?").partition(" ")[0] for c in name if c.isalpha()}
    if len(alphabets) > 1:
        what = "mixes letters of several alphabets, and may look like another name"
        raise UserError(what, f"'{name}'", "use one alphabet")


def _role(role: str) -> str:
    if role not in ROLES:
        raise UserError("not a role", f"'{role}'", f"choose {', '.join(ROLES)}")
    return role


def _hash(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(
            "the length is not allowed", "password", f"choose {SHORTEST} to {LONGEST} characters"
        )
    return hashing.hash_password(password)


def _set_rooms(connection: Connection, account: int, rooms: Iterable[Room]) -> None:
    connection.execute(delete(account_rooms).where(account_rooms.c.account == account))
    rows = [{"account": account, "site": site, "room": room} for site, room in set(rooms)]
    if rows:
        connection.execute(insert(account_rooms), rows)


def _end_elsewhere(connection: Connection, account: int, role: str) -> None:
    """Ends what somebody began in rooms that are not theirs any more."""
    if role == "administrator":
        return
    own = select(account_rooms.c.site, account_rooms.c.room).where(
        account_rooms.c.account == account
    )
    for table, change in (
        (lessons, update(lessons).values(end=time.time(), code=None)),
        (links, delete(links)),
    ):
        here = tuple_(table.c.site, table.c.room)
        where: ColumnElement[bool] = (table.c.account == account) & here.not_in(own)
        if table is lessons:
            where &= lessons.c.end.is_(None)
        elif role not in TEACHING:
            where = links.c.account == account
        connection.execute(change.where(where))


def _keep_one(connection: Connection) -> None:
    administrators = accounts.c.role == "administrator"
    # Held until the transaction ends, so that of two who remove each other one stays.
    connection.execute(update(accounts).where(administrators).values(role="administrator"))
    count = select(func.count()).select_from(accounts).where(administrators)
    if connection.execute(count).scalar_one() <= 1:
        raise UserError(
            "this is the last administrator", "account", "make another administrator first"
        )


assert set(ROLES) < set(get_args(Role))
