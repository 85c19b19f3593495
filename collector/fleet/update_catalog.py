"""Updates that devices are offered: first to a canary room, then to all."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from collector.access.accounts import Room
from collector.storage.tables import bundles
from edge.common.errors import UserError
from edge.protocol.bundle import unpack
from edge.protocol.device_api import AvailableUpdate, DeviceReport

Stage = Literal["canary", "everywhere", "withdrawn"]


class Update(NamedTuple):
    """One that was uploaded."""

    number: int
    site: str
    sha256: str
    note: str
    canaries: tuple[str, ...]
    state: Stage
    at: float
    size: int


class UpdateCatalog:
    """One per database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, data: bytes, key: Ed25519PublicKey, site: str, canaries: Sequence[str]) -> Update:
        """Raises UserError for a bundle that devices would reject, or a number not newer."""
        manifest = unpack(data, key, site).manifest
        newest = max((one.number for one in self.all() if one.site == site), default=0)
        if manifest.number <= newest:
            raise UserError(
                f"number {newest} has been used, and devices accept higher ones only",
                f"update {manifest.number}",
                f"sign it with --number {newest + 1}",
            )
        row = {
            "number": manifest.number,
            "site": site,
            "sha256": hashlib.sha256(data).hexdigest(),
            "content": base64.b64encode(data).decode(),
            "note": manifest.note,
            "canaries": list(canaries),
            "state": "canary" if canaries else "everywhere",
            "at": time.time(),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(bundles).values(row))
        except IntegrityError:
            raise UserError(
                "was uploaded in the meantime",
                f"update {manifest.number}",
                "see `roommood device updates`",
            ) from None
        return self.all()[-1]

    def all(self) -> list[Update]:
        """Oldest first, without their contents."""
        columns = [c for c in bundles.c if c.name != "content"]
        size = (func.length(bundles.c.content) * 3 / 4).label("size")
        query = select(*columns, size).order_by(bundles.c.site, bundles.c.number)
        with self._engine.connect() as connection:
            return [_update(row) for row in connection.execute(query)]

    def content(self, sha256: str) -> bytes | None:
        query = select(bundles.c.content).where(bundles.c.sha256 == sha256)
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return None if text is None else base64.b64decode(text)

    def set_stage(self, site: str, number: int, stage: Stage) -> None:
        where = (bundles.c.site == site) & (bundles.c.number == number)
        with self._engine.begin() as connection:
            if not connection.execute(update(bundles).where(where).values(state=stage)).rowcount:
                raise UserError(
                    "no such update", f"update {number}", "see `roommood device updates`"
                )

    def apply_report(
        self, room: Room, report: DeviceReport, in_use: Mapping[str, int | None]
    ) -> tuple[Update, Stage] | None:
        """A canary's report ends its update, or moves it on once all of them use it; what it did.

        `in_use` is the update of every room of the site.
        """
        for one in self.all():
            if one.state != "canary" or one.site != room[0] or room[1] not in one.canaries:
                continue
            if report.refused == one.number:
                self.set_stage(one.site, one.number, "withdrawn")
                return one, "withdrawn"
            if all(in_use.get(canary) == one.number for canary in one.canaries):
                self.set_stage(one.site, one.number, "everywhere")
                return one, "everywhere"
        return None

    def for_device(self, room: Room, report: DeviceReport) -> AvailableUpdate | None:
        """The newest update that this device should have and has not seen."""
        floor = max(report.bundle or 0, report.trying or 0, report.refused or 0)
        fitting = [
            one
            for one in self.all()
            if one.site == room[0]
            and one.number > floor
            and (one.state == "everywhere" or (one.state == "canary" and room[1] in one.canaries))
        ]
        if not fitting:
            return None
        newest = fitting[-1]
        return AvailableUpdate(number=newest.number, sha256=newest.sha256, size=newest.size)


def _update(row: Any) -> Update:
    return Update(
        row.number,
        row.site,
        row.sha256,
        row.note,
        tuple(row.canaries),
        row.state,
        row.at,
        int(row.size),
    )
