"""What devices last said of themselves, and the updates that they were offered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from collector.config import CollectorSettings
from collector.fleet.listing import fetch_statuses
from collector.fleet.registry import Device, DeviceRegistry
from collector.fleet.update_catalog import UpdateCatalog
from collector.live.rooms import Rooms
from edge.common.errors import UserError
from edge.protocol.attestation import public_key
from edge.protocol.bundle import unpack
from edge.protocol.messages import REASONS, rfc3339, rfc3339_of


def device_facts(settings: CollectorSettings, engine: Engine) -> dict[str, Any]:
    """Each device's own word, as the broker retains it; how a room is now is not in it."""
    rooms = Rooms()
    has_answered = fetch_statuses(settings.broker, rooms)
    devices = {one.room: one for one in DeviceRegistry(engine).all()} if settings.fleet else {}
    places = sorted(devices.keys() | {(view.site, view.room) for view in rooms.all()})
    return {
        "broker_answered": has_answered,
        "devices": [_device(place, rooms, devices.get(place)) for place in places],
    }


def _device(place: tuple[str, str], rooms: Rooms, device: Device | None) -> dict[str, Any]:
    status = rooms.view(*place).status
    health = status.health if status else None
    report = device.report if device else {}
    certificate = device.certificate if device else None
    return {
        "site": place[0],
        "room": place[1],
        "reported": rfc3339(status.at) if status else None,
        "mode": health.mode if health else None,
        "because": health.because if health else None,
        "because_in_words": REASONS[health.because] if health else None,
        "version": health.version if health else report.get("version"),
        "model": health.model if health else None,
        "detector": health.detector if health else None,
        "fitted": health.fitted if health else None,
        "update": report.get("bundle"),
        "update_refused": report.get("refused"),
        "certificate": None
        if certificate is None
        else {"state": certificate.state, "ends": rfc3339_of(certificate.expires)},
    }


def update_facts(settings: CollectorSettings, engine: Engine) -> list[dict[str, Any]]:
    """Every update that was uploaded, with the digest of each file in it."""
    catalog = UpdateCatalog(engine)
    return [
        {
            "site": one.site,
            "number": one.number,
            "uploaded": rfc3339_of(one.at),
            "state": one.state,
            "note": one.note,
            "tried_first_in": list(one.canaries),
            "sha256": one.sha256,
            **_content(catalog.content(one.sha256) or b"", settings, one.site),
        }
        for one in catalog.all()
    ]


def _content(data: bytes, settings: CollectorSettings, site: str) -> dict[str, Any]:
    path = settings.site_key(site)
    try:
        if path is None:
            return {"signature": "not checked: the site's key is not here", "files": None}
        bundle = unpack(data, public_key(path), site)
    except UserError as error:
        return {"signature": f"not in order: {error.what}", "files": None}
    return {"signature": "of the site's key", "files": bundle.manifest.files}
