"""The site's folder: the authority's key, the servers' keys, what the broker reads.

    site/authority.key, authority.pem, site.pub, collector.key, collector.pem
    site/broker/authority.pem, broker.key, broker.pem, crl.pem, mosquitto.conf, mosquitto.acl

The broker's user can read `broker/` and nothing else.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from collector.fleet.authority import Authority, pem
from edge.common import atomic_file
from edge.common.errors import UserError
from edge.protocol.identity import RENEWED_AT, new_key, private_pem

READABLE = 0o640
"""For the folder's group, which is the broker's."""


class SiteFiles:
    """Paths, and what lies there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority_key, self.authority = folder / "authority.key", folder / "authority.pem"
        self.collector_key, self.collector = folder / "collector.key", folder / "collector.pem"
        self.site_key = folder / "site.pub"
        self.broker = folder / "broker"
        self.broker_authority = self.broker / "authority.pem"
        self.broker_key, self.broker_pem = self.broker / "broker.key", self.broker / "broker.pem"
        self.revocation_list = self.broker / "crl.pem"
        self.conf, self.acl = self.broker / "mosquitto.conf", self.broker / "mosquitto.acl"

    def load(self) -> Authority:
        if not self.authority_key.exists():
            raise UserError("no site there", self.folder, "make it with `roommood site init`")
        return Authority.load(self.authority_key, self.authority)

    def renew_servers(self, authority: Authority) -> list[str]:
        """New keys and certificates where two thirds of the old ones' life are over."""
        pairs = (
            (self.broker_key, self.broker_pem, "broker", READABLE),
            (self.collector_key, self.collector, "collector", 0o600),
        )
        names = []
        for key, certificate, name, mode in pairs:
            old = x509.load_pem_x509_certificate(certificate.read_bytes())
            if _is_due(old):
                serve(authority, key, certificate, name, hosts_of(old), mode)
                names.append(name)
        return names


def serve(
    authority: Authority, key: Path, certificate: Path, name: str, hosts: list[str], mode: int
) -> None:
    """Makes a server's key and certificate, both in place or neither new."""
    private_key: ec.EllipticCurvePrivateKey = new_key()
    new_certificate = authority.sign_server(private_key.public_key(), name, hosts)
    atomic_file.write(key, private_pem(private_key), mode)
    atomic_file.write(certificate, pem(new_certificate), READABLE)


def hosts_of(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def _is_due(certificate: x509.Certificate) -> bool:
    start, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return datetime.now(timezone.utc) >= start + RENEWED_AT * (ends - start)
