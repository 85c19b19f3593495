"""Who is asking: a session's cookie, a viewer's link, or an API token. None is stored as it is."""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import ColumnElement, Engine, delete, insert, select

from collector.access.accounts import TEACHING, Account, Accounts, Role, Room
from collector.access.secret import fingerprint, new_secret
from collector.storage.tables import links, sessions, tokens
from edge.common.errors import UserError

SESSION_S = 12 * 3600
"""A school day; then one signs in again."""

Scope = Literal["read", "control", "metrics", "manage"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`read`: rooms and lessons; `control`: pause, lessons; `metrics`; `manage`: everything else."""


class Principal(NamedTuple):
    """Whoever asks, with what they may at most."""

    name: str
    role: Role
    rooms: frozenset[Room]
    account: int | None = None
    scopes: frozenset[str] | None = None
    """Of a token; None: all that the role may."""
    token: str | None = None
    lesson: int | None = None
    """The one whose report a link leads to."""
    lender: Principal | None = None
    """Who made that link: it shows the report while they may see it."""

    @property
    def key(self) -> str:
        """One for all sessions and tokens of an account."""
        return self.name if self.account is None else f"account {self.account}"

    @property
    def log_name(self) -> str:
        """For the log."""
        return f"{self.name} by token {self.token}" if self.token else self.name


class ShareLink(NamedTuple):
    id: int
    role: Role
    site: str | None
    room: str | None
    made_by: str
    expires: float
    lesson: int | None = None


class Token(NamedTuple):
    id: int
    name: str
    scopes: tuple[str, ...]
    expires: float


class Sessions:
    """Sessions, links and tokens of one database."""

    def __init__(self, engine: Engine, accounts: Accounts) -> None:
        self._engine = engine
        self._accounts = accounts

    def begin(self, account: Account) -> str:
        """The secret of a new session."""
        return self._new(time.time() + SESSION_S, account=account.id)

    def follow(self, secret: str) -> tuple[str, ShareLink] | None:
        """A session for whoever has a link, no longer than the link; None for one that expired."""
        with self._engine.connect() as connection:
            where = links.c.secret == fingerprint(secret)
            row = connection.execute(select(links).where(where)).first()
        if row is None or row.expires <= time.time() or self._lent(row) is None:
            return None
        return self._new(min(row.expires, time.time() + SESSION_S), link=row.id), _link(row)

    def _new(self, expires: float, account: int | None = None, link: int | None = None) -> str:
        secret = new_secret()
        row = {"secret": fingerprint(secret), "expires": expires, "account": account, "link": link}
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= time.time()))
            connection.execute(insert(sessions).values(row))
        return secret

    def end(self, secret: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.secret == fingerprint(secret)))

    def of_cookie(self, secret: str) -> Principal | None:
        with self._engine.connect() as connection:
            where = sessions.c.secret == fingerprint(secret)
            row = connection.execute(select(sessions).where(where)).first()
            if row is None or row.expires <= time.time():
                return None
            if row.account is None:
                link = connection.execute(select(links).where(links.c.id == row.link)).one()
                return self._lent(link)
        account = self._accounts.by_id(row.account)
        if account.has_lapsed:
            return None
        return Principal(account.name, account.role, account.rooms, account.id)

    def _lent(self, link: Any) -> Principal | None:
        """Whoever has a link has no more than the account that made it, and no longer."""
        name = f"link {link.id}"
        if link.account is None:
            # Of the first run: it is over with the first administrator, whoever made that one.
            over = self._accounts.has_administrator()
            return None if over else Principal(name, link.role, frozenset())
        maker = self._accounts.by_id(link.account)
        if maker.has_lapsed or maker.role not in TEACHING:
            return None
        if link.role == "administrator":
            rooms = frozenset({(link.site, link.room)} if link.site else ())
            return Principal(name, link.role, rooms) if maker.role == link.role else None
        room = (link.site, link.room)
        if link.lesson is not None:
            lender = Principal(maker.name, maker.role, maker.rooms, maker.id)
            nowhere: frozenset[Room] = frozenset()
            return Principal(name, link.role, nowhere, lesson=link.lesson, lender=lender)
        if maker.role != "administrator" and room not in maker.rooms:
            return None
        return Principal(name, link.role, frozenset({room}))

    def of_token(self, secret: str) -> Principal | None:
        with self._engine.connect() as connection:
            where = tokens.c.secret == fingerprint(secret)
            row = connection.execute(select(tokens).where(where)).first()
        if row is None or row.expires <= time.time():
            return None
        account = self._accounts.by_id(row.account)
        if account.has_lapsed:
            return None
        scopes = frozenset(row.scopes.split())
        return Principal(account.name, account.role, account.rooms, account.id, scopes, row.name)

    def make_link(
        self,
        made_by: str,
        seconds: float,
        room: Room | None = None,
        role: Role = "viewer",
        account: int | None = None,
        lesson: int | None = None,
    ) -> str:
        """The end of an address that shows one room, or one lesson's report, until it expires, or
        until the account that made it could not see that itself any more."""
        secret = new_secret()
        site, name = room or (None, None)
        row: dict[str, object] = {"secret": fingerprint(secret), "role": role}
        row |= {"site": site, "room": name, "made_by": made_by, "expires": time.time() + seconds}
        row |= {"account": account, "lesson": lesson}
        with self._engine.begin() as connection:
            connection.execute(delete(links).where(links.c.expires <= time.time()))
            connection.execute(insert(links).values(row))
        return secret

    def links(self, room: Room, lesson: int | None = None) -> list[ShareLink]:
        """Those to a room, or to the report of a lesson in it, that have not expired."""
        where = _leads_to(room, lesson) & (links.c.expires > time.time())
        with self._engine.connect() as connection:
            return [_link(row) for row in connection.execute(select(links).where(where))]

    def cut(self, room: Room, link: int, lesson: int | None = None) -> None:
        """Ends a link, and every session that began with it."""
        where = _leads_to(room, lesson) & (links.c.id == link)
        with self._engine.begin() as connection:
            connection.execute(delete(links).where(where))

    def end_links(self, role: Role) -> None:
        """Ends all links of a role, and every session that began with them."""
        with self._engine.begin() as connection:
            connection.execute(delete(links).where(links.c.role == role))

    def make_token(self, account: int, name: str, scopes: list[str], seconds: float) -> str:
        """Raises UserError for a scope that there is not."""
        if not scopes or set(scopes) - set(SCOPES):
            raise UserError("unknown or no scope", "scopes", f"choose from {', '.join(SCOPES)}")
        secret = f"rm_{new_secret()}"
        row = {"secret": fingerprint(secret), "account": account, "name": name[:64] or "token"}
        row |= {"scopes": " ".join(sorted(set(scopes))), "expires": time.time() + seconds}
        with self._engine.begin() as connection:
            connection.execute(insert(tokens).values(row))
        return secret

    def tokens(self, account: int) -> list[Token]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(tokens).where(tokens.c.account == account))
            return [Token(r.id, r.name, tuple(r.scopes.split()), r.expires) for r in rows]

    def revoke(self, account: int, token: int) -> None:
        where = (tokens.c.account == account) & (tokens.c.id == token)
        with self._engine.begin() as connection:
            connection.execute(delete(tokens).where(where))


def _leads_to(room: Room, lesson: int | None) -> ColumnElement[bool]:
    return (links.c.site == room[0]) & (links.c.room == room[1]) & (links.c.lesson == lesson)


def _link(row: Any) -> ShareLink:
    return ShareLink(*(getattr(row, field) for field in ShareLink._fields))
