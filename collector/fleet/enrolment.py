"""Enrolment, as the collector sees it: codes, requests, a person's decision."""

from __future__ import annotations

import logging
from typing import NamedTuple, NoReturn

from collector.access.audit import AuditLog
from collector.access.limits import Limits, network_of
from collector.fleet.authority import Authority, pem, public_key_of
from collector.fleet.invitations import Invitation, Invitations, PendingRequest
from collector.fleet.registry import DeviceRegistry
from edge.common.errors import UserError
from edge.protocol import device_api
from edge.protocol.code import is_proven, proof
from edge.protocol.identity import fingerprint

log = logging.getLogger(__name__)

UNKNOWN = "this code is not known", "check it, or ask IT for a new one"
NO_REQUEST = "no device has asked with this code", "run `roommood device enrol` again"

WRONG_CODES = 10
"""From one network in ten minutes; after that the next ones are told to wait. A right one never is:
it has too many bits to be guessed, and a school sits behind one address."""

MINUTES = 10


class EnrolmentDenied(UserError):
    """A device that is told no; `often` where it should not even have asked again."""

    def __init__(self, what: str, where: str, remedy: str, *, often: bool = False) -> None:
        super().__init__(what, where, remedy)
        self.often = often


class Terms(NamedTuple):
    """What every device of the site is told."""

    broker: device_api.BrokerAddress
    site_key: str
    days: float


class EnrolmentService:
    """One per collector."""

    def __init__(
        self,
        authority: Authority,
        invitations: Invitations,
        registry: DeviceRegistry,
        audit: AuditLog,
        limits: Limits,
        terms: Terms,
    ) -> None:
        self._authority, self._terms = authority, terms
        self._invitations, self._registry = invitations, registry
        self._audit, self._limits = audit, limits

    def hello(self, message: device_api.Hello, address: str) -> device_api.Welcome:
        """Raises EnrolmentDenied for a code that nobody gave out, or that has ended."""
        invitation = self._invitation(message.code, address)
        if invitation.over and self._invitations.of(invitation) is None:
            self._audit.add_view(address, "code refused", f"{_room_name(invitation)}: expired")
            raise EnrolmentDenied("this code has expired", "enrolment", "ask IT for a new one")
        parts = (message.nonce, *invitation.room, self._authority.pem)
        return device_api.Welcome(
            site=invitation.room[0],
            room=invitation.room[1],
            authority=self._authority.pem,
            proof=proof(invitation.key, "welcome", *parts),
        )

    def request(
        self, message: device_api.EnrolmentRequest, address: str
    ) -> device_api.RequestStatus:
        """Takes a request down, once for each code; the same one again changes nothing."""
        invitation = self._invitation(message.code, address)
        if not is_proven(message.proof, invitation.key, "request", message.csr):
            self._wrong(address)
        key = fingerprint(public_key_of(message.csr))
        request = self._invitations.of(invitation)
        if request is None and invitation.over:
            self._audit.add_view(address, "code refused", f"{_room_name(invitation)}: expired")
            raise EnrolmentDenied("this code has expired", "enrolment", "ask IT for a new one")
        if request is None:
            request = self._invitations.ask(
                invitation,
                csr=message.csr,
                fingerprint=key,
                hardware=message.hardware,
                version=message.version,
                address=address[:64],
            )
            self._audit.add(address, "device asks", f"{_room_name(invitation)}, fingerprint {key}")
        if request is None or request.fingerprint != key:
            self._audit.add_view(address, "code refused", f"{_room_name(invitation)}: used already")
            raise EnrolmentDenied(
                "this code was used by another device", "enrolment", "ask IT for a new one"
            )
        return _status(invitation, request.state, None, "")

    def status(self, message: device_api.StatusQuery, address: str) -> device_api.RequestStatus:
        invitation = self._invitation(message.code, address)
        request = self._invitations.of(invitation)
        if request is None or not is_proven(message.proof, invitation.key, "asked", message.nonce):
            self._wrong(address, *NO_REQUEST)
        grant = None
        if request.state == "approved" and request.certificate is not None:
            grant = device_api.Grant(
                certificate=request.certificate,
                site_key=self._terms.site_key,
                broker=self._terms.broker,
            )
        return _status(invitation, request.state, grant, message.nonce)

    def approve(self, request: PendingRequest, who: str) -> None:
        """Signs the certificate; a device that had the room before is revoked."""
        certificate = self._authority.sign_device(request.csr, request.room[1], self._terms.days)
        if not self._invitations.decide(request, "approved", pem(certificate)):
            raise UserError("has been decided already", "/".join(request.room), "reload the list")
        self._registry.record(request.room, certificate, request.hardware)
        about = f"{'/'.join(request.room)}, fingerprint {request.fingerprint}"
        self._audit.add(who, "device approved", about)

    def refuse(self, request: PendingRequest, who: str) -> None:
        if self._invitations.decide(request, "refused"):
            about = f"{'/'.join(request.room)}, fingerprint {request.fingerprint}"
            self._audit.add(who, "device refused", about)

    def _invitation(self, code: str, address: str) -> Invitation:
        invitation = self._invitations.by_code(code)
        if invitation is None:
            self._wrong(address)
        return invitation

    def _wrong(self, address: str, what: str = UNKNOWN[0], remedy: str = UNKNOWN[1]) -> NoReturn:
        """Raises EnrolmentDenied, which says whether it was one too often."""
        often = not self._limits.hit(WRONG_CODES, "code", network_of(address), minutes=MINUTES)
        if often:
            self._audit.add_view(address, "slowed down", f"{WRONG_CODES} wrong codes")
            raise EnrolmentDenied(
                "too many wrong codes from your address",
                "enrolment",
                "wait ten minutes",
                often=True,
            )
        self._audit.add_view(address, "wrong code", "")
        raise EnrolmentDenied(what, "enrolment", remedy)


def _room_name(invitation: Invitation) -> str:
    return "/".join(invitation.room)


def _status(
    invitation: Invitation, state: str, grant: device_api.Grant | None, nonce: str
) -> device_api.RequestStatus:
    grant_json = grant.model_dump_json() if grant else ""
    return device_api.RequestStatus.model_validate(
        {
            "state": state,
            "granted": grant,
            "proof": proof(invitation.key, "standing", nonce, state, grant_json),
        }
    )
