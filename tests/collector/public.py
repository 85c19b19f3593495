"""A school that has switched its public page on: two rooms, one of them authorised."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.protocol.attestation import Attestation, sign
from edge.protocol.messages import Status
from tests.conftest import BOOT

PAGE: dict[str, Any] = {
    "title": "Kowhai School",
    "responsible": {
        "name": "Ada Moana",
        "role": {"en": "Head teacher", "de": "Schulleiterin"},
        "telephone": "+64 3 5550 100",
        "email": "head@school.example",
    },
    "data_protection": {"name": "Bo Lind", "role": "Privacy officer", "email": "bo@school.example"},
    "purpose": {"en": "To see how full rooms are", "de": "Zu sehen, wie voll die Räume sind"},
    "legal_basis": "Decision of the board of 3 March",
    "hours": {"en": "Monday to Friday, 8:30 to 15:00", "de": "Montag bis Freitag, 8:30 bis 15 Uhr"},
    "complaints": "Privacy Commissioner, Wellington",
}
TITLES = {"r101": {"title": "Room 101"}, "r102": {"title": "Library"}}


def attestation(key: Ed25519PrivateKey, **changes: Any) -> str:
    """For r101, from yesterday on."""
    today = date.today()
    answers: dict[str, Any] = {
        "site": "school",
        "rooms": ["r101"],
        "responsible": {
            "name": "Carla Ruiz",
            "role": "Chair of the board",
            "contact": "c@a.example",
        },
        "purpose": "education",
        "legal_basis": "The board's decision and an assessment",
        "country": "NZ",
        "first_day": today - timedelta(days=1),
        "last_day": today + timedelta(days=100),
    }
    return sign(Attestation.model_validate(answers | changes), key)


def public_settings(
    folder: Path, key: Ed25519PrivateKey | None = None, **changes: Any
) -> dict[str, Any]:
    """For `School`, with an attestation beside them that is signed with that key."""
    key = key or Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "site.pub").write_bytes(public)
    (folder / "signed.yaml").write_text(attestation(key), encoding="utf-8")
    files = {"attestations": [folder / "signed.yaml"], "site_key": folder / "site.pub"}
    return {"public": {"school": PAGE | files | changes}, "rooms": TITLES}


def status(room: str = "r101", **health: Any) -> Status:
    """What a device says of itself."""
    figures = {
        "version": "1.2.3",
        "uptime_s": 900,
        "frames_per_s": 2.0,
        "ms_per_frame": 100.0,
        "waiting": 0,
        "mode": "emotion",
        "because": "attested",
        "fitted": ["button", "light"],
    }
    return Status.model_validate(
        {
            "schema": "roommood.status/1",
            "site": "school",
            "room": room,
            "device": f"device-{room}",
            "boot": BOOT,
            "state": "online",
            "at": datetime.now(timezone.utc),
            "health": figures | health,
        }
    )
