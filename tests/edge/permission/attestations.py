"""A device whose attestation, key and settings are in one folder, and what it decides by them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.camera.recording import Recording
from edge.common.settings import load
from edge.config import AgentSettings
from edge.permission.mode import decide
from edge.protocol.attestation import Attestation, sign

TODAY = date(2026, 12, 1)
ANSWERS: dict[str, Any] = {
    "site": "school",
    "rooms": ["r101"],
    "responsible": {"name": "Ada Moana", "role": "Head teacher", "contact": "head@school.example"},
    "purpose": "education",
    "legal_basis": "a law, a decision and an assessment",
    "country": "NZ",
    "first_day": TODAY,
    "last_day": TODAY + timedelta(days=300),
}
MEDICAL = {"purpose": "medical", "exception": "therapy ordered by a physician"}


def new_key(folder: Path) -> Ed25519PrivateKey:
    """The site's; its public half is where `settings` look for it."""
    private_key = Ed25519PrivateKey.generate()
    pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "site.pub").write_bytes(pem)
    return private_key


def write_attestation(folder: Path, key: Ed25519PrivateKey, **changes: object) -> Path:
    path = folder / "attestation.yaml"
    path.write_text(sign(Attestation.model_validate(ANSWERS | changes), key))
    return path


def settings(folder: Path, **changes: object) -> AgentSettings:
    content = {
        "site": "school",
        "room": "r101",
        "camera": "usb:0",
        "state": "state",
        "attestation": "attestation.yaml",
        "site_key": "site.pub",
    }
    path = folder / "agent.yaml"
    path.write_text(yaml.safe_dump(content | changes))
    return load(AgentSettings, path)


def because(folder: Path, today: date = TODAY, **changes: object) -> str:
    """Why faces are only counted, or that they are not."""
    config = settings(folder, **changes)
    mode = decide(config, today, Recording(config.camera).live())
    assert mode.sentence
    assert (mode.name == "emotion") == (
        mode.because in ("attested", "exempt_source", "exempt_demo")
    )
    return mode.because
