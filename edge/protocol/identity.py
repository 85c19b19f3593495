"""Who a device is: its key, its certificate, and the authority it trusts, in one folder.

The key is made here and never leaves the folder. A new identity is written beside the old one and
takes its place in one step, so that a power cut leaves the one or the other.
"""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.common.atomic_file import OWNER_ALONE, write
from edge.common.errors import ENROL_ANEW, UserError, unusable

LINK = "identity"
KEY, CERTIFICATE, AUTHORITY = "key.pem", "certificate.pem", "authority.pem"
RENEWED_AT = 2 / 3
"""Of a certificate's life."""


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Raises UserError naming the file."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise unusable(error, path, ENROL_ANEW) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UserError("not a device key", path, ENROL_ANEW)
    return key


def request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """A certificate request, PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


class Identity:
    """The device's identity as it is on the disk; raises UserError where there is none."""

    def __init__(self, state: Path) -> None:
        self.folder = state / LINK
        try:
            pem = (self.folder / CERTIFICATE).read_bytes()
            self.certificate = x509.load_pem_x509_certificate(pem)
        except FileNotFoundError:
            raise UserError(
                "this device is not enrolled", self.folder, "run `roommood device enrol`"
            ) from None
        except (OSError, ValueError) as error:
            raise unusable(error, self.folder / CERTIFICATE, ENROL_ANEW) from None
        self.key = read_key(self.folder / KEY)
        self.authority = self.folder / AUTHORITY

    @property
    def serial(self) -> str:
        return serial(self.certificate)

    @property
    def name(self) -> str:
        return common_name(self.certificate.subject)

    def is_due(self, now: datetime | None = None) -> bool:
        """Whether two thirds of the certificate's life are over."""
        start = self.certificate.not_valid_before_utc
        life = self.certificate.not_valid_after_utc - start
        return (now or datetime.now(timezone.utc)) >= start + RENEWED_AT * life


def common_name(subject: x509.Name) -> str:
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Of a public key, for people to compare: sixteen hexadecimal digits in fours."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    digits = digest.finalize().hex()[:16]
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def install(state: Path, key: bytes, certificate: str, authority: str) -> Identity:
    """Puts a new identity in the place of the old one, whose key is deleted."""
    folder = state / f"{LINK}-{serial(x509.load_pem_x509_certificate(certificate.encode()))}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(folder / KEY, key, OWNER_ALONE)
    write(folder / CERTIFICATE, certificate, OWNER_ALONE)
    write(folder / AUTHORITY, authority, OWNER_ALONE)
    passing = state / f"{LINK}.new"
    passing.unlink(missing_ok=True)
    passing.symlink_to(folder.name)
    passing.replace(state / LINK)
    for old in state.glob(f"{LINK}-*"):
        if old.name != folder.name:
            shutil.rmtree(old)
    return Identity(state)
