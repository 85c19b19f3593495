"""The devices of all rooms and their certificates, as the database has them.

A room has one device. Its newest certificate is `new` until the device has used it, then `current`;
what it takes the place of is `replaced`. One that is taken back is `revoked`. The last two are on
the revocation list until they would have ended by themselves.
"""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

from cryptography import x509
from sqlalchemy import Connection, Engine, delete, insert, select, update

from collector.access.accounts import Room
from collector.fleet.authority import pem
from collector.storage.tables import certificates, devices
from edge.protocol.identity import serial as serial_of

State = Literal["new", "current", "replaced", "revoked"]
END_STATES = ("replaced", "revoked")


class Certificate(NamedTuple):
    """One that the site has given."""

    serial: str
    room: Room
    pem: str
    expires: float
    state: State
    because: str | None

    @property
    def has_ended(self) -> bool:
        return self.state in END_STATES


class RevokedCertificate(NamedTuple):
    """A certificate for the revocation list, and since when."""

    serial: str
    at: float
    room: Room
    state: State


class Device(NamedTuple):
    """What is known of a room's device; `report` is as it last told."""

    room: Room
    hardware: str
    seen_at: float | None
    report: dict[str, Any]
    certificate: Certificate | None


class DeviceRegistry:
    """One per database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(
        self, room: Room, certificate: x509.Certificate, hardware: str | None = None
    ) -> None:
        """Notes a new certificate; with hardware, of another device, which takes the room over."""
        row = {
            "serial": serial_of(certificate),
            "site": room[0],
            "room": room[1],
            "pem": pem(certificate),
            "expires": certificate.not_valid_after_utc.timestamp(),
            "state": "new",
        }
        with self._engine.begin() as connection:
            if hardware is not None:
                _end(connection, room, "revoked", "another device took the room over")
                connection.execute(delete(devices).where(_is(devices, room)))
                values = {"site": room[0], "room": room[1], "hardware": hardware}
                connection.execute(insert(devices).values(values))
            else:
                _end(connection, room, "replaced", "renewed again", only="new")
            connection.execute(insert(certificates).values(row))

    def activate(self, certificate: Certificate) -> bool:
        """A new certificate has come into use, and ends the one before; whether it just did."""
        if certificate.state != "new":
            return False
        with self._engine.begin() as connection:
            _end(connection, certificate.room, "replaced", "renewed", only="current")
            mine = certificates.c.serial == certificate.serial
            connection.execute(update(certificates).where(mine).values(state="current"))
        return True

    def revoke(self, room: Room, because: str) -> int:
        """Takes back every certificate of a room; how many there were."""
        with self._engine.begin() as connection:
            return _end(connection, room, "revoked", because)

    def record_report(self, room: Room, hardware: str, report: dict[str, Any]) -> None:
        values = {"seen": time.time(), "report": report, "hardware": hardware}
        with self._engine.begin() as connection:
            connection.execute(update(devices).where(_is(devices, room)).values(values))

    def by_serial(self, serial: str) -> Certificate | None:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(certificates).where(certificates.c.serial == serial)
            ).first()
        return None if row is None else _certificate(row)

    def revocations(self) -> list[RevokedCertificate]:
        """What was ended and would not have ended by itself yet."""
        query = select(certificates).where(
            certificates.c.state.in_(END_STATES), certificates.c.expires > time.time()
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(certificates.c.serial)).all()
        return [
            RevokedCertificate(row.serial, row.ended, (row.site, row.room), row.state)
            for row in rows
        ]

    def all(self) -> list[Device]:
        """Every room's device with its certificate, the newest that is valid first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(devices).order_by(devices.c.site, devices.c.room))
            device_rows = rows.all()
            certificate_rows = connection.execute(
                select(certificates).order_by(certificates.c.expires)
            ).all()
        newest: dict[Room, Certificate] = {}
        for certificate in map(_certificate, certificate_rows):
            before = newest.get(certificate.room)
            if before is None or before.has_ended or not certificate.has_ended:
                newest[certificate.room] = certificate
        return [
            Device(
                (row.site, row.room),
                row.hardware,
                row.seen,
                row.report or {},
                newest.get((row.site, row.room)),
            )
            for row in device_rows
        ]


def _is(table: Any, room: Room) -> Any:
    return (table.c.site == room[0]) & (table.c.room == room[1])


def _end(
    connection: Connection, room: Room, state: State, because: str, only: State | None = None
) -> int:
    still = ("new", "current") if only is None else (only,)
    where = _is(certificates, room) & certificates.c.state.in_(still)
    values = {"state": state, "ended": time.time(), "because": because}
    return connection.execute(update(certificates).where(where).values(values)).rowcount


def _certificate(row: Any) -> Certificate:
    room = (row.site, row.room)
    return Certificate(row.serial, room, row.pem, row.expires, row.state, row.because)
