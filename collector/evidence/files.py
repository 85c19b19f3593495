"""The files of an evidence pack, by name."""

from __future__ import annotations

import hashlib
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from collector.config import CollectorSettings
from collector.evidence.facts import Facts, as_json
from collector.evidence.pack import PUBLIC_KEY
from collector.evidence.summary import summary_pdf

README = """\
What a collector of roommood knows of a time, for head teachers and data protection.

summary.pdf         for people
*.json              the same and more, for machines; times are UTC
settings.yaml       the collector's settings when this was made, secrets masked
attestations/       the signed authorisations, as devices have them
SHA256SUMS          the digest of every other file

To check it, with roommood:

    roommood site verify FILE.zip --key site.pub

or with common tools, in a folder of its own:

    unzip FILE.zip
    sha256sum -c SHA256SUMS
    openssl pkeyutl -verify -pubin -inkey site.pub -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig

Take site.pub from the school, not from this pack: whoever makes a pack up puts their own key in it.
A pack without SHA256SUMS.sig is not signed, and can have been changed by anybody.
"""


def fingerprint(key: Ed25519PublicKey) -> str:
    """As `openssl pkey -pubin -outform DER | sha256sum` prints it, shortened."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digits = hashlib.sha256(der).hexdigest()[:32]
    return "-".join(digits[at : at + 4] for at in range(0, 32, 4))


def pack_files(
    settings: CollectorSettings, facts: Facts, language: str, key: Ed25519PrivateKey | None
) -> dict[str, bytes]:
    """Raises UserError where the PDF cannot be made."""
    public = key.public_key() if key else None
    pdf = summary_pdf(settings, facts, language, fingerprint(public) if public else None)
    files = {
        "README.txt": README.encode(),
        "summary.pdf": pdf,
        "settings.yaml": facts.settings.encode(),
    }
    files |= {f"{name}.json": as_json(document) for name, document in facts.documents.items()}
    for number, one in enumerate(facts.attestations, 1):
        source = re.sub(r"[^A-Za-z0-9._-]+", "-", one.source)[-80:]
        files[f"attestations/{number:02d}-{source}"] = one.content
    if public is not None:
        files[PUBLIC_KEY] = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return files
