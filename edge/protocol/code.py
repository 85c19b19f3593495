"""One-time codes: what a person carries from the collector to a device, once.

Eighty random bits in sixteen characters that are hard to confuse. The code itself is never sent:
its number is derived from it, and both ends prove with a MAC that they know it, so that the device
learns which authority to trust from whoever made the code, and from nobody in between.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets

from edge.common.errors import UserError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""

LENGTH = 16
LOOKALIKES = str.maketrans("ILO", "110")


class Code:
    """A code as it was typed; raises UserError for what cannot be one."""

    def __init__(self, text: str) -> None:
        plain = "".join(text.split()).replace("-", "").upper().translate(LOOKALIKES)
        if len(plain) != LENGTH or set(plain) - set(ALPHABET):
            raise UserError(
                "not a code",
                f"'{text[:40]}'",
                "enter four groups of four characters, as `roommood device invite` printed them",
            )
        self._plain = plain

    @classmethod
    def new(cls) -> Code:
        return cls("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))

    def __str__(self) -> str:
        return "-".join(self._plain[at : at + 4] for at in range(0, LENGTH, 4))

    @property
    def number(self) -> str:
        """What both ends call it; it cannot be turned back into the code."""
        return self._derive("number")[:16]

    @property
    def key(self) -> str:
        """What both ends prove with, hexadecimal; the collector keeps it in place of the code."""
        return self._derive("key")

    def _derive(self, purpose: str) -> str:
        return hashlib.sha256(f"roommood code {purpose}: {self._plain}".encode()).hexdigest()


def proof(key: str, purpose: str, *parts: str) -> str:
    """A MAC over a purpose and what goes with it, hexadecimal."""
    content = json.dumps([purpose, *parts], ensure_ascii=True, separators=(",", ":"))
    return hmac.digest(bytes.fromhex(key), content.encode(), "sha256").hex()


def is_proven(claim: str, key: str, purpose: str, *parts: str) -> bool:
    return hmac.compare_digest(claim, proof(key, purpose, *parts))
