"""Who may sign in: names, roles, rooms; passwords as Argon2 has them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from collector.access import hashing
from collector.storage.tables import account_rooms, accounts, sessions
from edge.common.errors import UserError

Role = Literal["administrator", "it", "teacher", "viewer"]
"""`viewer` is whoever has a link; no account has that role."""

ROLES: tuple[Role, ...] = ("administrator", "it", "teacher")
Room = tuple[str, str]
"""(site, room)."""

SHORTEST = 10
LONGEST = 256
NAME = re.compile(r"[\w][\w.@ -]{0,62}[\w]|[\w]")
ROOM = re.compile(r"([a-z0-9-]{1,32})/([a-z0-9-]{1,32})")

NOBODY = hashing.hashed("nobody's password: so that a name that is not there takes as long")


class Account(NamedTuple):
    """Somebody who may sign in."""

    id: int
    name: str
    role: Role
    rooms: frozenset[Room]
    local: bool
    """Whether there is a password; else the school's provider signs them in."""


class Accounts:
    """All accounts of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        name: str,
        role: str,
        rooms: Iterable[Room] = (),
        password: str | None = None,
        subject: str | None = None,
    ) -> Account:
        """Raises UserError for a name that is taken, a role unknown, or a password too short."""
        if not NAME.fullmatch(name):
            raise UserError(
                "not a valid account name",
                f"'{name[:70]}'",
                "choose 1 to 64 letters, digits, . @ -",
            )
        hashed = None if password is None else _hash(password)
        row = {
            "name": name,
            "role": _role(role),
            "password": hashed,
            "subject": subject,
            "created": time.time(),
        }
        try:
            with self._engine.begin() as connection:
                made = connection.execute(insert(accounts).values(row)).inserted_primary_key
                number = int(made[0]) if made else 0
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
        """A new password ends every session."""
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
            if password is not None:
                connection.execute(delete(sessions).where(sessions.c.account == account.id))

    def remove(self, account: Account) -> None:
        """Raises UserError for the last administrator."""
        with self._engine.begin() as connection:
            if account.role == "administrator":
                _keep_one(connection)
            connection.execute(delete(accounts).where(accounts.c.id == account.id))

    def verified(self, name: str, password: str) -> Account | None:
        """The account that this password opens; takes as long where there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(accounts).where(accounts.c.name == name)).first()
        hashed = row.password if row is not None and row.password else NOBODY
        try:
            hashing.verify(hashed, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return None
        if row is None or not row.password:
            return None
        account = self.by_id(row.id)
        if hashing.is_old(hashed):
            with self._engine.begin() as connection:
                changed = {"password": hashing.hashed(password)}
                connection.execute(update(accounts).where(accounts.c.id == row.id).values(changed))
        return account

    def by_name(self, name: str) -> Account:
        found = self._one(accounts.c.name == name)
        if found is None:
            raise UserError("no such account", f"'{name}'", "see `roommood collector account list`")
        return found

    def by_subject(self, subject: str) -> Account | None:
        return self._one(accounts.c.subject == subject)

    def by_id(self, number: int) -> Account:
        found = self._one(accounts.c.id == number)
        if found is None:
            raise UserError("no such account", f"account {number}", "see the list of accounts")
        return found

    def all(self) -> list[Account]:
        with self._engine.connect() as connection:
            numbers = connection.execute(select(accounts.c.id).order_by(accounts.c.name)).scalars()
            return [self.by_id(number) for number in list(numbers)]

    def is_empty(self) -> bool:
        with self._engine.connect() as connection:
            count = select(func.count()).select_from(accounts)
            return connection.execute(count).scalar_one() == 0

    def _one(self, where: object) -> Account | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(accounts).where(where)).first()  # type: ignore[arg-type]  # a column's comparison
            if row is None:
                return None
            own = select(account_rooms).where(account_rooms.c.account == row.id)
            rooms = frozenset((room.site, room.room) for room in connection.execute(own))
        return Account(row.id, row.name, row.role, rooms, row.password is not None)


def read_room(text: str) -> Room:
    """`site/room`; raises UserError for anything else."""
    found = ROOM.fullmatch(text.strip())
    if found is None:
        raise UserError("not a room", f"'{text}'", "write site/room, as in school/r101")
    return found.group(1), found.group(2)


def _role(role: str) -> str:
    if role not in ROLES:
        raise UserError("not a role", f"'{role}'", f"choose {', '.join(ROLES)}")
    return role


def _hash(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(
            "the length is not allowed", "password", f"choose {SHORTEST} to {LONGEST} characters"
        )
    return hashing.hashed(password)


def _set_rooms(connection: Connection, account: int, rooms: Iterable[Room]) -> None:
    connection.execute(delete(account_rooms).where(account_rooms.c.account == account))
    rows = [{"account": account, "site": site, "room": room} for site, room in set(rooms)]
    if rows:
        connection.execute(insert(account_rooms), rows)


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
