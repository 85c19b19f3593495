"""Addresses with a user and a password in them, as people write them.

A password may hold `@`, `/`, `[`, `#` or `%`, which an address has other uses for: whoever copies
one into the settings seldom encodes it. What is shown of an address never holds it.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Annotated, NamedTuple, TypeAlias
from urllib.parse import quote

from pydantic import AfterValidator

from edge.common.errors import SettingError

MASK = "**********"

HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^/?#@:\[\]]+)(:\d+)?([/?#].*)?$", re.DOTALL)
PLAIN_PATH = re.compile(r"/?([A-Za-z0-9]{1,12}([._-][A-Za-z0-9]{1,12}){0,3}(/|$)){0,6}")
"""Of a path that is shown. Cameras have passwords in theirs too, as `user=kim_password=…`, or one
long word that is the secret."""
HARMLESS = r"(channel|subtype|stream|profile|resolution|fps|camera|codec|unicast|proto)"
PLAIN_PARAMETERS = re.compile(rf"(?i){HARMLESS}=[a-z0-9]{{1,12}}(&{HARMLESS}=[a-z0-9]{{1,12}})*")
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
    """An address without what may be a secret in it; text that is none, as it is.

    Scheme and host are shown, user and password never, path and parameters where they are plain
    words. Where an `@` may belong to a path or a password alike, nothing but the scheme is.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    if scheme.lower() == "sqlite":
        path, question, _ = rest.partition("?")
        return f"{scheme}://{path}{question}{MASK if question else ''}"
    before, at, place = rest.rpartition("@")
    is_doubtful = at and (HOST_AND_PORT.fullmatch(rest) or re.search(r"[/?#].*=", before))
    match = None if is_doubtful else HOST_AND_PORT.fullmatch(place)
    if match is None:
        return f"{scheme}://{MASK}"
    host, port, more = match[1], match[2] or "", match[3] or ""
    return f"{scheme}://{MASK + at if at else ''}{host}{port}{_mask_rest(more)}"


def mask_path(text: str) -> str:
    """Of a web address scheme and host alone: whoever knows the rest may use it."""
    scheme, separator, rest = text.partition("://")
    before, _, place = rest.rpartition("@")
    match = None if re.search(r"[/?#]", before) else HOST_AND_PORT.fullmatch(place)
    if match is None:
        return f"{scheme}://{MASK}" if separator else MASK
    return f"{scheme}://{match[1]}{match[2] or ''}/{MASK}"


def mask_source(text: str) -> str:
    """A camera as `mask` has it; nothing of what is neither an address nor a plain path."""
    kind = text.partition(":")[0]
    if "://" in text:
        return mask(text) if kind.strip().lower() in ("rtsp", "rtsps") else mask_path(text)
    if kind.lower() == "sim" or not re.search("[@=]", text):
        return text
    _, at, place = text.rpartition("@")
    return f"{MASK}@{place}" if at and "=" not in text and HOST_AND_PORT.fullmatch(place) else MASK


def web_address(text: str) -> str:
    """A server's address without user, password and parameters; raises SettingError otherwise."""
    text = text.strip()
    if not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#@]*)?", text):
        raise SettingError(
            "not the address of a server",
            "write it as in https://login.school.example/path, without user and parameters",
        )
    return text


def host(text: str) -> str:
    """A machine's name or address alone, without brackets; raises SettingError for anything else,
    which is not repeated: there may be a password in it."""
    text = text.strip()
    if "@" in text:
        raise SettingError(
            "more than a name",
            "write the name alone: 'username' and 'password' are keys of their own",
        )
    if "://" in text:
        scheme = re.match(r"[a-z]{1,8}://", text)
        without = f", without {scheme[0]}" if scheme else ""
        raise SettingError("an address, not a name", f"write the name alone{without}")
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]  # as IPv6 addresses stand in URLs
    name, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in name or name.endswith("]")):
        raise SettingError(
            "a name and a port", f"write the name alone, and the port as 'port: {port}'"
        )
    if not _is_machine(text):
        raise SettingError(
            "no name of a machine", "write it as in mood.school.example, or 10.0.0.4"
        )
    return text


def _is_machine(text: str) -> bool:
    try:
        if ":" in text:
            IPv6Address(text)
        text.encode("idna")
    except ValueError:  # UnicodeError is one
        return False
    return bool(text) and not any(letter in "/@?#[]=&;" or letter.isspace() for letter in text)


Host: TypeAlias = Annotated[str, AfterValidator(host)]
WebAddress: TypeAlias = Annotated[str, AfterValidator(web_address)]


def _mask_rest(more: str) -> str:
    """Path and parameters."""
    path, question, parameters = more.partition("?")
    is_plain = not question or PLAIN_PARAMETERS.fullmatch(parameters)
    if PLAIN_PATH.fullmatch(path) and is_plain:
        return more
    return f"{path if PLAIN_PATH.fullmatch(path) else '/'}{question}{MASK}"


def _encode(text: str) -> str:
    """What is encoded already stays so."""
    return quote(PERCENT.sub("%25", text), safe="%!$&'()*+,;=-._~")
