"""The local PIN: kept as a salted scrypt hash, and tried a few times only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Annotated

from pydantic import StringConstraints

PinHash = Annotated[str, StringConstraints(pattern=r"^scrypt:[0-9a-f]{32}:[0-9a-f]{64}$")]

TRIES = 5
LOCKED_S = 60.0
LONGEST_S = 3600.0
SHORTEST = 6
"""Of four digits half are tried within days, however long one has to wait."""


def hash_pin(pin: str) -> str:
    """What goes into the settings."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{salt.hex()}:{_derive(pin, salt).hex()}"


def _derive(pin: str, salt: bytes) -> bytes:
    # 16 MiB and some 50 ms: a stolen settings file does not give away a PIN for nothing.
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


class Pin:
    """Checks what people type; after five wrong ones nobody gets in for a minute, after five more
    for two, and so on, up to an hour."""

    def __init__(self, pin_hash: str, now: Callable[[], float] = time.monotonic) -> None:
        _, salt, digest = pin_hash.split(":")
        self._salt, self._digest = bytes.fromhex(salt), bytes.fromhex(digest)
        self._now = now
        self._wrong = self._rounds = 0
        self._locked_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_locked(self) -> bool:
        return self._now() < self._locked_until

    def opens(self, attempt: str) -> bool:
        with self._lock:
            if self.is_locked:
                return False
            right = hmac.compare_digest(_derive(attempt[:64], self._salt), self._digest)
            self._wrong = 0 if right else self._wrong + 1
            if right:
                self._rounds = 0
            if self._wrong >= TRIES:
                locked_s = min(LONGEST_S, LOCKED_S * 2.0 ** min(self._rounds, 10))
                self._wrong, self._locked_until = 0, self._now() + locked_s
                self._rounds += 1
            return right
