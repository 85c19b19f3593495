"""Whether expressions may be read in this room today, or faces only be counted.

It fails closed: whatever is missing, expired or unclear leaves a headcount.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import NamedTuple

from edge.camera import is_live
from edge.common.errors import Refusal
from edge.common.settings import load
from edge.config import AgentSettings
from edge.protocol.attestation import Attestation, Signed, countries, is_signed, public_key
from edge.protocol.messages import REASONS, ModeName, Reason

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Mode(NamedTuple):
    """What the agent may do, and why."""

    name: ModeName
    because: Reason

    @property
    def sentence(self) -> str:
        return REASONS[self.because]


def decide(settings: AgentSettings, today: date) -> Mode:
    """The mode for one day; raises Refusal only for a camera that names nothing."""
    if settings.mode == "headcount":
        return Mode("headcount", "set")
    if not is_live(settings.camera):
        return Mode("emotion", "exempt_source")
    if settings.demo and settings.broker.host in LOOPBACK:
        return Mode("emotion", "exempt_demo")
    missing = _missing(settings, today)
    return Mode("headcount", missing) if missing else Mode("emotion", "attested")


def _missing(settings: AgentSettings, today: date) -> Reason | None:
    """What keeps the attestation from holding, if anything does."""
    if settings.attestation is None or settings.site_key is None:
        return "no_attestation"
    try:
        signed = load(Signed, settings.attestation)
        genuine = is_signed(signed, public_key(settings.site_key))
    except Refusal as refusal:
        log.error("%s", refusal)
        return "unreadable"
    attested = signed.attestation
    checks: tuple[tuple[Reason, bool], ...] = (
        ("bad_signature", not genuine),
        ("other_room", not attested.covers(settings.site, settings.room)),
        ("not_yet", today < attested.first_day),
        ("expired", today > attested.last_day),
        ("prohibited", is_prohibited(attested, today)),
    )
    return next((reason for reason, holds in checks if holds), None)


def responsible(settings: AgentSettings) -> str | None:
    """Who answers for the room, as the kiosk says it: from the settings, else the attestation."""
    if settings.kiosk is not None and settings.kiosk.responsible:
        return settings.kiosk.responsible
    if settings.attestation is None:
        return None
    try:
        who = load(Signed, settings.attestation).attestation.responsible
    except Refusal:  # said by `decide` already
        return None
    return f"{who.name}, {who.role}, {who.contact}"


def is_prohibited(attested: Attestation, today: date) -> bool:
    """Whether a law forbids it, and the attestation claims no exception that the law knows."""
    rule = countries().rule(attested.country)
    if rule is None or today < rule.since:
        return False
    return attested.purpose not in rule.except_ or attested.exception is None
