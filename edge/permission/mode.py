"""Whether expressions may be read in this room today, or faces only be counted.

It fails closed: whatever is missing, expired or unclear leaves a headcount.
"""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path
from typing import NamedTuple, Protocol

from edge.common.broker import BrokerSettings
from edge.common.errors import UserError
from edge.common.settings import load
from edge.permission.demonstration import is_demonstration
from edge.protocol.attestation import (
    Attestation,
    SignedAttestation,
    countries,
    is_signed,
    public_key,
)
from edge.protocol.messages import REASONS, ModeName, Reason

log = logging.getLogger(__name__)

REMEDIES: dict[Reason, str] = {
    "no_attestation": "set 'attestation' and 'site_key', see docs/privacy-audit.md",
    "unreadable": "copy both again, and let the agent's user read them",
    "bad_signature": "sign it again with `roommood site attest`",
    "other_room": "sign one that names this site and room",
    "not_yet": "wait for its first day, or set the clock",
    "expired": "sign a new one",
    "prohibited": "ask a lawyer; only a medical or safety reason may be excepted",
}


class Mode(NamedTuple):
    """What the agent may do, and why."""

    name: ModeName
    because: Reason

    @property
    def sentence(self) -> str:
        return REASONS[self.because]

    @property
    def remedy(self) -> str:
        """What makes expressions be read again; empty where nothing is wrong."""
        return REMEDIES.get(self.because, "")


class ModeSettings(Protocol):
    """What of the agent's settings the mode depends on."""

    @property
    def mode(self) -> ModeName: ...
    @property
    def site(self) -> str: ...
    @property
    def room(self) -> str: ...
    @property
    def broker(self) -> BrokerSettings: ...
    @property
    def attestation(self) -> Path | None: ...
    @property
    def site_key(self) -> Path | None: ...


def decide(settings: ModeSettings, today: date, live: str | None) -> Mode:
    """The mode for one day; `live`: why the source may show people now, None where it cannot.

    The one place where an exemption is decided: from facts about the source and about who
    started the agent, never from a setting.
    """
    if settings.mode == "headcount":
        return Mode("headcount", "set")
    if live is None:
        return Mode("emotion", "exempt_source")
    if is_demonstration(settings.broker.host, settings.broker.port):
        return Mode("emotion", "exempt_demo")
    missing = _missing(settings, today)
    return Mode("headcount", missing) if missing else Mode("emotion", "attested")


def _missing(settings: ModeSettings, today: date) -> Reason | None:
    """What keeps the attestation from holding, if anything does."""
    if settings.attestation is None or settings.site_key is None:
        return "no_attestation"
    try:
        document = load(SignedAttestation, settings.attestation, "attestation:")
        genuine = is_signed(document, public_key(settings.site_key))
    except UserError as error:
        log.error("%s", error)
        return "unreadable"
    attestation = document.attestation
    checks: tuple[tuple[Reason, bool], ...] = (
        ("bad_signature", not genuine),
        ("other_room", not attestation.covers(settings.site, settings.room)),
        ("not_yet", today < attestation.first_day),
        ("expired", today > attestation.last_day),
        ("prohibited", is_prohibited(attestation, today)),
    )
    return next((reason for reason, holds in checks if holds), None)


def responsible(attestation: Path | None) -> str | None:
    """Who answers for the room, as its attestation says."""
    if attestation is None:
        return None
    try:
        who = load(SignedAttestation, attestation).attestation.responsible
    except UserError:  # said by `decide` already
        return None
    return f"{who.name}, {who.role}, {who.contact}"


def is_prohibited(attestation: Attestation, today: date) -> bool:
    """Whether a law forbids it, and the attestation claims no exception that the law knows."""
    rule = countries().rule(attestation.country)
    if rule is None or today < rule.since:
        return False
    return attestation.purpose not in rule.except_ or attestation.exception is None
