"""One file from a web server by HTTPS, bounded in time and size, with its faults in words."""

from __future__ import annotations

import base64
import errno
import http.client
import socket
import ssl
import time
import urllib.request
import zlib
from email.message import Message
from typing import IO, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urljoin, urlsplit

from edge.common.address import split
from edge.common.deadline import within
from edge.common.errors import Problem, in_words

WAITS_S = 15.0
"""For each answer of the server, and for a connection."""

OPENS_S = 60.0
"""For the beginning of an answer, whose headers may drip too."""

LONGEST_S = 60.0
"""For the whole file, however slowly it drips."""

LARGEST = 32 * 2**20
"""Bytes; a calendar of 10,000 events has five million."""

TOO_LARGE = f"sends more than {LARGEST // 2**20} MiB"
CHECK_ADDRESS = "check that it is a calendar's address"

GZIP = b"\x1f\x8b"
"""How a packed file begins."""

REDIRECTS = 5

STATUS = {
    401: ("asks for a name and password", "write them as https://NAME:PASSWORD@HOST/…"),
    403: ("does not let us read it", "publish the calendar, and write the address it then has"),
    404: ("has no such calendar", "copy its address again: calendars get a new one when reset"),
    410: ("has no such calendar any more", "copy its address again"),
    429: ("wants fewer requests", "wait; the next try comes by itself"),
}
OTHER = "open the address in a browser, and copy it again where that shows no calendar"
CLOCK = "check this machine's clock"
LOCAL_ONLY = (
    "this machine's rules forbid a connection there",
    "allow its network: IPAddressAllow= of the service, by `systemctl edit`",
)


class Download(NamedTuple):
    """A content, and what the server wants to be asked with next time."""

    content: bytes
    etag: str
    modified: str


NOT_MODIFIED = None
"""In place of a download where the server has nothing newer."""


def download(address: str, where: str, earlier: Download | None = None) -> Download | None:
    """The file at an https address, or NOT_MODIFIED where it is the known one.

    `where` stands for the address in messages. Raises Problem, in words.
    """
    parts = split(address)
    if parts is None or parts.scheme != "https":
        raise Problem("no https address", where, "write https://")
    request = urllib.request.Request(f"https://{parts.rest}")
    request.add_header("User-Agent", "roommood")
    request.add_header("Accept", "text/calendar, text/csv, */*;q=0.1")
    if parts.user is not None:
        pair = f"{unquote(parts.user)}:{unquote(parts.password or '')}".encode()
        # Not sent on to where a redirect leads.
        request.add_unredirected_header(
            "Authorization", f"Basic {base64.b64encode(pair).decode('ascii')}"
        )
    unless = (
        {"If-None-Match": earlier.etag, "If-Modified-Since": earlier.modified} if earlier else {}
    )
    conditions = {header: value for header, value in unless.items() if value}
    for header, value in conditions.items():
        request.add_header(header, value)
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=_trusting()), _SafeRedirects()
    )
    deadline = time.monotonic() + LONGEST_S
    try:
        name = f"calendar's answer {where}"
        with within(OPENS_S, lambda: opener.open(request, timeout=WAITS_S), name) as answer:
            content = _body(answer, deadline)
            headers = answer.headers
    except HTTPError as error:
        error.close()
        if error.code == http.client.NOT_MODIFIED and conditions:
            return NOT_MODIFIED
        what, remedy = STATUS.get(error.code, (f"answers {error.code} {error.reason}"[:80], OTHER))
        raise Problem(what, where, remedy) from None
    except _Unusable as error:
        raise Problem(error.what, where, error.remedy) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        what, remedy = _meaning(error)
        raise Problem(what, where, remedy) from None
    return Download(content, _header(headers, "ETag"), _header(headers, "Last-Modified"))


class _Unusable(Exception):
    """An answer that is none; not an OSError, which urllib would wrap."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a few, and none to where others could read along."""

    max_redirections = REDIRECTS
    max_repeats = 2

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> object:
        """As urllib does it, which has one name for all codes."""
        target = urlsplit(urljoin(req.full_url, headers.get("Location", "")))
        if target.scheme != "https":
            raise _Unusable(
                f"leads on to {target.scheme}://{target.hostname or ''}, which is not encrypted",
                "write the https address that it ends at",
            )
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except HTTPError as error:
            if error.code == code:  # urllib's own: too many
                error.close()
                raise _Unusable("leads on and on", OTHER) from None
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _trusting() -> ssl.SSLContext:
    """Everybody's authorities, and those that this machine's owner added.

    Not Python's default context: see edge/common/broker.py.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    return context


def _body(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    parts, size = [], 0
    while part := answer.read1(65_536):
        size += len(part)
        parts.append(part)
        if size > LARGEST:
            raise _Unusable(TOO_LARGE, CHECK_ADDRESS)
        if time.monotonic() > deadline:
            raise _Unusable(
                f"is not through after {LONGEST_S:.0f} s", "the next try comes by itself"
            )
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and int(length) != size:
        raise _Unusable("breaks off in the middle", "the next try comes by itself")
    content = _unpack(b"".join(parts), answer.headers.get("Content-Encoding", ""))
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise _Unusable("sends nothing", OTHER)
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<script", b"<!--")):
        raise _Unusable(
            "sends a web page, as where one has to sign in",
            "write the address in iCal format, which needs no sign-in",
        )
    return content


def _unpack(content: bytes, encoding: str) -> bytes:
    """What a server packed though it was not asked to."""
    if not content.startswith(GZIP):
        if encoding.strip().lower() not in ("", "identity", "gzip", "x-gzip"):
            raise _Unusable(f"is packed in a way that is not known, {encoding[:20]}", OTHER)
        return content
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = unpacking.decompress(content, LARGEST + 1)
    except zlib.error:
        raise _Unusable("is packed and cannot be unpacked", OTHER) from None
    if len(text) > LARGEST:
        raise _Unusable(TOO_LARGE, CHECK_ADDRESS)
    if not unpacking.eof:
        raise _Unusable("breaks off in the middle", "the next try comes by itself")
    return text


def _header(headers: Message, name: str) -> str:
    """Of reasonable length and letters; whatever else is as if it were not there."""
    value = headers.get(name, "")
    return value if len(value) <= 200 and value.isascii() and value.isprintable() else ""


def _meaning(error: BaseException) -> tuple[str, str]:
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message.rstrip('.')})"[:200],
            f"renew it there, or add its authority to this machine's; {CLOCK}",
        )
    number = error.errno if isinstance(error, OSError) else None
    meanings = (
        (isinstance(error, ssl.SSLError), ("does not speak TLS as we do", "check the address")),
        (
            isinstance(error, socket.gaierror),
            ("this name is not known here", "check the address, and this machine's DNS server"),
        ),
        (isinstance(error, TimeoutError), ("no answer", "check the network, and firewalls")),
        (
            isinstance(error, ConnectionRefusedError),
            ("nothing accepts connections there", "check the address"),
        ),
        (number in (errno.EPERM, errno.EACCES), LOCAL_ONLY),
        (
            isinstance(error, http.client.IncompleteRead),
            ("breaks off in the middle", "the next try comes by itself"),
        ),
    )
    other = (in_words(error)[:120], OTHER)
    return next((meaning for holds, meaning in meanings if holds), other)
