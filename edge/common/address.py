"""Addresses with a user and a password in them, as people write them.

A password may hold `@`, `/`, `[`, `#` or `%`, which an address has other uses for: whoever copies
one into the settings seldom encodes it. What is shown of an address never holds it.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

MASK = "**********"

SECRET_NAMES = re.compile(r"(?i)(?<=[?&;])([^=&;]*(?:pass|secret|token|key|auth)[^=&;]*)=[^&;#]*")
HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^/?#@:\[\]]+)(:\d+)?([/?#].*)?$", re.DOTALL)
PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


class Address(NamedTuple):
    """Its parts; `user` and `password` as they were written."""

    scheme: str
    user: str | None
    password: str | None
    rest: str
    """The host and all that follows it."""

    def encode(self) -> str:
        """As programs want it, with what an address has other uses for in `%` form."""
        if self.user is None:
            return f"{self.scheme}://{self.rest}"
        password = "" if self.password is None else f":{_encode(self.password)}"
        return f"{self.scheme}://{_encode(self.user)}{password}@{self.rest}"


def split(text: str) -> Address | None:
    """The parts of an address, or None for text that is none.

    All up to the last `@` that a host can follow is user and password, unless what stands before
    is a host and a path itself, as in `rtsp://10.0.0.4/a@b`.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return None
    before, at, after = rest.rpartition("@")
    if not at or rest.startswith("/") or (HOST_AND_PORT.fullmatch(rest) and "/" in before):
        return Address(scheme, None, None, rest)
    user, colon, password = before.partition(":")
    return Address(scheme, user, password if colon else None, after)


def mask(text: str) -> str:
    """An address without user, password and secrets among its parameters; other text as it is.

    All up to the last `@` goes, whatever it was: a path is no great loss.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    rest = f"{MASK}@{rest.rpartition('@')[2]}" if "@" in rest else rest
    return scheme + separator + SECRET_NAMES.sub(rf"\1={MASK}", rest)


def _encode(text: str) -> str:
    """What is encoded already stays so."""
    return quote(PERCENT.sub("%25", text), safe="%!$&'()*+,;=-._~")
