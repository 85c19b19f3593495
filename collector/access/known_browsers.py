"""A cookie that says: in this browser somebody has signed in to this account before.

It opens nothing. It lets its owner's tries be counted apart, so that whoever guesses at a name from
elsewhere slows down themselves alone.
"""

from __future__ import annotations

import hmac
import secrets

from collector.access.secret import derive_key

COOKIE = "browser"
LASTS_S = 365 * 86_400


class KnownBrowsers:
    """Makes and reads the cookie."""

    def __init__(self, key: bytes) -> None:
        self._key = derive_key(key, "browser")

    def mark(self, name: str) -> str:
        """For an account's name, which no cookie tells."""
        own = secrets.token_hex(16)
        return f"{own}.{self._seal(own, name)}"

    def browser_id(self, cookie: str | None, name: str) -> str | None:
        """The browser's own number, where the cookie is for this name."""
        own, _, seal = (cookie or "").partition(".")
        right = hmac.compare_digest(seal.encode(), self._seal(own, name).encode())
        return own if right else None

    def _seal(self, own: str, name: str) -> str:
        return hmac.digest(self._key, f"{own} {name}".encode(), "sha256").hex()
