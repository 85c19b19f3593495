"""Invitations by code, and the requests that were made with them."""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

from sqlalchemy import Engine, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from collector.access.accounts import Room
from collector.storage.tables import invitations, requests
from edge.common.errors import UserError
from edge.protocol.code import Code

LONGEST_S = 14 * 86_400.0
"""A card that is posted has to arrive."""
REQUEST_WAITS_S = 14 * 86_400.0
"""For a person to approve it."""

State = Literal["waiting", "approved", "refused"]


class Invitation(NamedTuple):
    """A code that was given out."""

    code: str
    key: str
    room: Room
    expires: float

    @property
    def over(self) -> bool:
        return self.expires < time.time()


class PendingRequest(NamedTuple):
    """A device that asks for a certificate."""

    id: int
    room: Room
    csr: str
    fingerprint: str
    hardware: str
    version: str
    address: str
    at: float
    state: State
    certificate: str | None


class Invitations:
    """One per database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def invite(self, room: Room, made_by: str, seconds: float) -> Code:
        """A new code; those given out for the room before, and not used, end."""
        if not 0 < seconds <= LONGEST_S:
            raise UserError(
                f"a code is valid for {LONGEST_S / 86400:.0f} days at most",
                "code",
                "choose a shorter time",
            )
        code = Code.new()
        row = {
            "code": code.number,
            "key": code.key,
            "site": room[0],
            "room": room[1],
            "made_by": made_by,
            "expires": time.time() + seconds,
        }
        request_codes = select(requests.c.code)
        is_unused = invitations.c.code.not_in(request_codes)
        here = (invitations.c.site == room[0]) & (invitations.c.room == room[1])
        stale_codes = select(requests.c.code).where(requests.c.at < time.time() - REQUEST_WAITS_S)
        with self._engine.begin() as connection:
            old = or_(here & is_unused, invitations.c.code.in_(stale_codes))
            connection.execute(delete(invitations).where(old))
            connection.execute(insert(invitations).values(row))
        return code

    def by_code(self, code: str) -> Invitation | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(invitations).where(invitations.c.code == code)).first()
        if row is None:
            return None
        return Invitation(row.code, row.key, (row.site, row.room), row.expires)

    def ask(self, invitation: Invitation, **fields: Any) -> PendingRequest | None:
        """A new request; None where the code has served for one already."""
        row = {"code": invitation.code, "at": time.time(), "state": "waiting", **fields}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(requests).values(row))
        except IntegrityError:
            return None
        return self.of(invitation)

    def of(self, invitation: Invitation) -> PendingRequest | None:
        matches = self._select(requests.c.code == invitation.code)
        return matches[0] if matches else None

    def pending(self) -> list[PendingRequest]:
        """What a person has to decide on, oldest first."""
        return self._select(
            (requests.c.state == "waiting") & (requests.c.at > time.time() - REQUEST_WAITS_S)
        )

    def find(self, name: str) -> PendingRequest:
        """One that waits, by room or by fingerprint; raises UserError unless it is just one."""
        text = name.strip().lower()
        matches = [
            r for r in self.pending() if text in (r.room[1], "/".join(r.room), r.fingerprint)
        ]
        if not matches:
            raise UserError("no device is waiting there", f"'{name}'", "see `roommood device list`")
        if len(matches) > 1:
            text = ", ".join(r.fingerprint for r in matches)
            raise UserError(
                "several devices are waiting there",
                f"'{name}'",
                f"name one by its fingerprint, {text}",
            )
        return matches[0]

    def by_id(self, number: int) -> PendingRequest:
        matches = self._select(requests.c.id == number)
        if not matches:
            raise UserError("no such request", f"request {number}", "reload the list")
        return matches[0]

    def decide(self, request: PendingRequest, state: State, certificate: str | None = None) -> bool:
        """Whether it was still to be decided."""
        values = {"state": state, "certificate": certificate}
        where = (requests.c.id == request.id) & (requests.c.state == "waiting")
        with self._engine.begin() as connection:
            count = connection.execute(update(requests).where(where).values(values)).rowcount
        return bool(count)

    def _select(self, where: Any) -> list[PendingRequest]:
        both = requests.join(invitations, requests.c.code == invitations.c.code)
        columns = (*requests.c, invitations.c.site, invitations.c.room)
        query = select(*columns).select_from(both).where(where).order_by(requests.c.at)
        with self._engine.connect() as connection:
            return [_request(row) for row in connection.execute(query)]


def _request(row: Any) -> PendingRequest:
    return PendingRequest(
        row.id,
        (row.site, row.room),
        row.csr,
        row.fingerprint,
        row.hardware,
        row.version,
        row.address,
        row.at,
        row.state,
        row.certificate,
    )
