"""The site's Ed25519 key pair: signs attestations and updates."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.fleet.files import READABLE
from edge.common import atomic_file
from edge.common.errors import UserError, in_words
from edge.protocol.attestation import public_key, read_private

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
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(private)
        (out / PUBLIC).write_bytes(public_pem(key))
    except OSError as error:
        raise UserError(
            f"cannot be written ({error.strerror})", out, "choose another --out"
        ) from None


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Its public half, as devices get it."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def check_pair(private: Path, public: Path) -> str:
    """A sentence; raises UserError where updates signed with one are refused by the other.

    The key itself may lie elsewhere, where IT signs: then nothing can be compared.
    """
    if not private.exists():
        return f"{private}: not on this machine; its public half is {public}"
    theirs = public_key(public)
    if read_private(private).public_key() != theirs:
        raise UserError(
            f"is not the key whose public half the devices have ({public})",
            private,
            "put the right key back from a copy, or replace it: `sudo roommood site replace-key`",
        )
    return f"{private}: belongs to {public}"


def replace(signing: Path, public: Path) -> None:
    """A new pair in `signing`; the old key stays beside it under another name, and `public`, which
    the collector gives to devices, keeps its owner. Raises UserError."""
    old = signing / PRIVATE
    try:
        if old.exists():
            old.rename(old.with_name(f"{PRIVATE}.{datetime.now():%Y-%m-%d-%H%M%S}"))
            (signing / PUBLIC).unlink(missing_ok=True)
        make_key(signing)
        before = public.stat() if public.exists() else None
        atomic_file.write(public, (signing / PUBLIC).read_bytes(), READABLE)
        if before is not None and os.geteuid() == 0:
            os.chown(public, before.st_uid, before.st_gid)
    except OSError as error:
        remedy = "run it as root, or choose --folder"
        raise UserError(in_words(error), str(error.filename or signing), remedy) from None
