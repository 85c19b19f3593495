"""The collector's own key, in a file that only it reads; and secrets that others carry."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from edge.common.errors import UserError

FILE = "secret.key"
BYTES = 32


def make_folder(state: Path) -> None:
    """Raises UserError where it cannot be made."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(str(error.strerror), state, "check 'state'") from None


def has_key(state: Path) -> bool:
    """Whether it was made already."""
    return (state / FILE).exists()


def own_key(state: Path) -> bytes:
    """The key of this collector, made at the first start; raises UserError where it cannot be."""
    path = state / FILE
    make_folder(state)
    try:
        if not path.exists():
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise UserError(str(error.strerror), path, "check 'state'") from None
    if len(key) != BYTES:
        raise UserError(f"not a key of {BYTES} bytes", path, "restore it from a backup")
    return key


def derive_key(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, so that none serves two."""
    return hmac.digest(key, purpose.encode(), "sha256")


def new_secret() -> str:
    """256 bits for an address, a cookie or a header."""
    return secrets.token_urlsafe(BYTES)


def fingerprint(secret: str) -> str:
    """What the database holds in place of a secret that nobody could guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
