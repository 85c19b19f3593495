"""What is wrong, who was told, and mails on their way, in the database.

What is told and that it was told are written in one transaction: a restart tells nothing twice and
loses nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, and_, delete, func, insert, or_, select, update

from collector.alerts.incidents import Entries, Entry, Key
from collector.alerts.letters import Letter
from collector.storage.tables import alerts, deliveries, mails, settings

HOUR_S = 3600.0
GIVE_UP_S = 3 * 86_400.0
"""A mail that nobody took for so long says nothing new."""
FIRST_WAIT_S, LONGEST_WAIT_S = 30.0, 900.0
DIGEST = "alerts.digest"


class Mail(NamedTuple):
    """One that is to be written down; `audience` is a site whose people get it, or empty."""

    audience: str
    kind: str
    letter: Letter
    name: str
    answers: str | None = None


class AlertStore:
    """One per database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def entries(self) -> Entries:
        with self._engine.connect() as connection:
            rows = connection.execute(select(alerts)).all()
        return {
            key: Entry(key, row.about, row.since, row.told, row.over)
            for row in rows
            for key in [Key(row.cause, row.site, row.item)]
        }

    def save(
        self,
        before: Entries,
        after: Entries,
        mails_now: Iterable[Mail],
        events: list[dict[str, Any]],
        at: float,
        digest_day: str | None = None,
    ) -> None:
        """All of a turn, or nothing."""
        stale_keys = [key for key in before if before.get(key) != after.get(key)]
        new = [entry for key, entry in after.items() if before.get(key) != entry]
        new_mails = list(mails_now)
        if not (stale_keys or new or new_mails or events or digest_day):
            return
        with self._engine.begin() as connection:
            for key in stale_keys:
                connection.execute(delete(alerts).where(_is(key)))
            if new:
                connection.execute(insert(alerts), [_row(entry) for entry in new])
            for mail in new_mails:
                _add(connection, mail, at)
            if events:
                connection.execute(insert(deliveries), events)
            if digest_day:
                connection.execute(delete(settings).where(settings.c.key == DIGEST))
                connection.execute(insert(settings).values(key=DIGEST, value=digest_day))

    def digest_day(self) -> str | None:
        """The day of the last digest."""
        query = select(settings.c.value).where(settings.c.key == DIGEST)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def recent(self, at: float) -> list[float]:
        """When the alerts of the last hour were written, oldest first."""
        since = and_(mails.c.kind == "alert", mails.c.audience == "", mails.c.at > at - HOUR_S)
        with self._engine.connect() as connection:
            rows = connection.execute(select(mails.c.at).where(since, mails.c.at <= at))
            return sorted(rows.scalars())

    def due(self, at: float) -> list[Any]:
        """Mails to be sent now, oldest first."""
        # A clock that was put back keeps no mail for years.
        is_due = or_(mails.c.next <= at, mails.c.next > at + LONGEST_WAIT_S)
        query = select(mails).where(mails.c.sent.is_(None), is_due).order_by(mails.c.id).limit(50)
        with self._engine.connect() as connection:
            return list(connection.execute(query).all())

    def has_unsent(self) -> bool:
        query = select(func.count()).select_from(mails).where(mails.c.sent.is_(None))
        with self._engine.connect() as connection:
            return bool(connection.execute(query).scalar())

    def unsent(self, audience: str) -> list[Any]:
        query = select(mails).where(mails.c.sent.is_(None), mails.c.audience == audience)
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(mails.c.id)).all())

    def replace(self, some: Iterable[Any], mail: Mail, at: float) -> None:
        """Several mails by one."""
        ids = [row.id for row in some]
        with self._engine.begin() as connection:
            connection.execute(delete(mails).where(mails.c.id.in_(ids)))
            _add(connection, mail, at)

    def note_delivery(self, row: Any, at: float) -> None:
        """Its text goes at once; that there was one counts for an hour."""
        with self._engine.begin() as connection:
            values = {"sent": at, "subject": "", "body": ""}
            connection.execute(update(mails).where(mails.c.id == row.id).values(values))

    def postpone(self, row: Any, at: float) -> None:
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(row.tries, 10))
        with self._engine.begin() as connection:
            values = {"tries": row.tries + 1, "next": at + wait}
            connection.execute(update(mails).where(mails.c.id == row.id).values(values))

    def hurry(self) -> None:
        """All that wait may be tried now: the server answers again."""
        with self._engine.begin() as connection:
            connection.execute(update(mails).where(mails.c.sent.is_(None)).values(next=0.0))

    def prune(self, at: float) -> int:
        """Forgets what was sent, and what nobody took; returns how many of the latter."""
        with self._engine.begin() as connection:
            connection.execute(delete(mails).where(mails.c.sent < at - HOUR_S))
            old = and_(mails.c.sent.is_(None), mails.c.at < at - GIVE_UP_S)
            return connection.execute(delete(mails).where(old)).rowcount

    def drop(self, row: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(mails).where(mails.c.id == row.id))


def new_name() -> str:
    return secrets.token_hex(12)


def _add(connection: Connection, mail: Mail, at: float) -> None:
    connection.execute(
        insert(mails).values(
            audience=mail.audience,
            kind=mail.kind,
            name=mail.name,
            answers=mail.answers,
            subject=mail.letter.subject,
            body=mail.letter.body,
            at=at,
            tries=0,
            next=at,
        )
    )


def _is(key: Key) -> Any:
    return and_(alerts.c.cause == key.cause, alerts.c.site == key.site, alerts.c.item == key.item)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        **entry.key._asdict(),
        "about": entry.about[:200],
        "since": entry.since,
        "told": entry.told_at,
        "over": entry.over,
    }
