"""The site's Ed25519 key pair: signs attestations and updates."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.common.errors import UserError

PRIVATE, PUBLIC = "site.key", "site.pub"


def make_key(out: Path) -> None:
    """Both files; raises UserError where there is one already, or the folder cannot be written."""
    if (out / PRIVATE).exists():
        raise UserError("exists already", out / PRIVATE, "keep it, or choose another --out")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(private)
        (out / PUBLIC).write_bytes(public)
    except OSError as error:
        raise UserError(
            f"cannot be written ({error.strerror})", out, "choose another --out"
        ) from None


def read_private(path: Path) -> Ed25519PrivateKey:
    try:
        secret = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", path, "name the site's key") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(
            "not a private key in PEM", path, "make one with `roommood site key`"
        ) from None
    if not isinstance(secret, Ed25519PrivateKey):
        raise UserError("not an Ed25519 key", path, "make one with `roommood site key`")
    return secret
