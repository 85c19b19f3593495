"""The site's certificate authority: what it signs, for how long, and what it takes back."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge.common.errors import UserError, unusable
from edge.protocol.identity import common_name, read_key

DEVICE_DAYS = 90
SERVER_DAYS = 397
AUTHORITY_YEARS = 20
LIST_DAYS = 400
"""A revocation list that nobody renews must not lock a school out: it is written anew each day."""

BACKDATING = timedelta(hours=1)
"""Clocks differ."""


class Authority:
    """A key and its self-signed certificate."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    @classmethod
    def make(cls, site: str, key: ec.EllipticCurvePrivateKey) -> Authority:
        name = _name(f"roommood {site}")
        now = datetime.now(timezone.utc)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        root = (
            _builder(name, name, key.public_key(), now, timedelta(days=365 * AUTHORITY_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, root)

    @classmethod
    def load(cls, key: Path, certificate: Path) -> Authority:
        """Raises UserError naming the file."""
        try:
            root = x509.load_pem_x509_certificate(certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise unusable(error, certificate, "restore it from a backup") from None
        return cls(read_key(key), root)

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    def sign_device(self, csr: str, room: str, days: float = DEVICE_DAYS) -> x509.Certificate:
        """A certificate in the room's name, whatever else the request asks for.

        Raises UserError for a request that is not signed with its own key, or names another room.
        """
        request = read_request(csr)
        if common_name(request.subject) != room:
            raise UserError(f"not for room {room}", "certificate request", "make the request again")
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._sign(_name(room), _p256(request.public_key()), timedelta(days=days), usage)

    def sign_server(
        self, key: ec.EllipticCurvePublicKey, name: str, hosts: Iterable[str]
    ) -> x509.Certificate:
        """For broker or collector, reached under these names and addresses."""
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        san = x509.SubjectAlternativeName([_host(host) for host in hosts])
        return self._sign(_name(name), key, timedelta(days=SERVER_DAYS), usage, san)

    def revocation_list(self, entries: Iterable[tuple[str, float]], number: int) -> bytes:
        """PEM; (serial, when) of every certificate that has not ended by itself."""
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - BACKDATING)
            .next_update(now + timedelta(days=LIST_DAYS))
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for serial, at in entries:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(serial, 16))
                .revocation_date(datetime.fromtimestamp(at, timezone.utc))
                .build()
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        life: timedelta,
        usage: list[x509.ObjectIdentifier],
        hosts: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        issuer, ours = self.certificate.subject, self._key.public_key()
        signs = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = (
            _builder(name, issuer, key, datetime.now(timezone.utc), life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(signs, critical=True)
            .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), critical=False)
        )
        if hosts is not None:
            builder = builder.add_extension(hosts, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def read_request(csr: str) -> x509.CertificateSigningRequest:
    """Raises UserError for what is none, or not signed with its own key."""
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        genuine = request.is_signature_valid
    except (ValueError, TypeError):
        raise UserError(
            "not a certificate request", "certificate request", "make the request again"
        ) from None
    if not genuine:
        raise UserError(
            "not signed with its own key", "certificate request", "make the request again"
        )
    _p256(request.public_key())
    return request


def public_key_of(csr: str) -> ec.EllipticCurvePublicKey:
    return _p256(read_request(csr).public_key())


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise UserError(
        "the key is not P-256",
        "certificate request",
        "make the request with this version of roommood",
    )


def _builder(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATING)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
