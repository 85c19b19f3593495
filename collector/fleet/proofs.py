"""Who signed a device's message: numbers given out once, certificates that hold, signatures."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from typing import NoReturn, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from collector.access.audit import AuditLog
from collector.fleet.enrolment import EnrolmentDenied
from collector.fleet.registry import Certificate, DeviceRegistry
from edge.protocol.device_api import DeviceMessage, Purpose, SignedMessage

NONCE_S = 120.0
MOST = 20_000
"""Numbers that are out at a time; past that the oldest end early."""

W = TypeVar("W", bound=DeviceMessage)


class Nonces:
    """Numbers that sign one message each, within two minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expiries: dict[str, float] = {}

    def new(self) -> str:
        nonce, now = secrets.token_hex(32), time.monotonic()
        with self._lock:
            self._expiries[nonce] = now
            while len(self._expiries) > MOST or now - next(iter(self._expiries.values())) > NONCE_S:
                del self._expiries[next(iter(self._expiries))]
        return nonce

    def spend(self, nonce: str) -> bool:
        """Whether it was given out, lately, and not spent before."""
        with self._lock:
            issue_time = self._expiries.pop(nonce, None)
        return issue_time is not None and time.monotonic() - issue_time <= NONCE_S


class Proofs:
    """Checks what devices sign."""

    def __init__(self, registry: DeviceRegistry, audit: AuditLog, nonces: Nonces) -> None:
        self._registry, self._audit, self._nonces = registry, audit, nonces

    def check(
        self, message: SignedMessage, purpose: Purpose, kind: type[W], address: str
    ) -> tuple[W, Certificate]:
        """What was signed, and with which certificate; raises EnrolmentDenied, and logs it."""
        fresh = self._nonces.spend(message.nonce)
        certificate = self._registry.by_serial(message.serial)
        if certificate is None:
            self._deny(address, "certificate refused", "one that the site did not give")
        room = "/".join(certificate.room)
        if not _is_signed(message, certificate.pem):
            self._deny(address, "signature refused", f"in the name of {room}")
        if not fresh:
            self._deny(address, "replay refused", f"of {room}: {purpose}")
        if certificate.state == "replaced":
            why = f"{room}: a certificate that was renewed: the card may have been copied"
            self._deny(address, "copy refused", why)
        if certificate.has_ended:
            self._deny(address, "certificate refused", f"{room}: {certificate.because}")
        if certificate.expires < time.time():
            self._deny(address, "certificate refused", f"{room}: expired")
        if message.purpose != purpose:
            self._deny(address, "signature refused", f"{room}: signed for something else")
        try:
            body = kind.model_validate_json(message.body)
        except ValidationError:
            raise EnrolmentDenied(
                "not understood", "message", "use the same version at both ends"
            ) from None
        return body, certificate

    def _deny(self, address: str, what: str, about: str) -> NoReturn:
        self._audit.add_view(address, what, about)
        raise EnrolmentDenied(about, what, "ask IT for a new code")


def _is_signed(message: SignedMessage, certificate: str) -> bool:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        signature = base64.b64decode(message.signature, validate=True)
        key.verify(signature, message.signed_bytes(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
