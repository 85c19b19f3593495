"""A device's requests to its collector: JSON over HTTPS, one connection each, nothing followed."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import ssl
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from edge.common.broker import trusting
from edge.common.clock import WallClock
from edge.common.errors import UserError, in_words
from edge.protocol.device_api import DeviceMessage

log = logging.getLogger(__name__)

WAITS_S = 20
LARGEST = 32 * 2**20
"""Bytes of an answer: a model pack is far smaller."""

W = TypeVar("W", bound=DeviceMessage)


class CollectorUnreachable(UserError):
    """The collector does not answer now; it may later."""


class UnknownCollector(UserError):
    """What answers cannot show a certificate of the site, or none that holds today."""


class Rejection(UserError):
    """The collector answered, and said no."""


def open_context() -> ssl.SSLContext:
    """For the one question whose answer proves itself: which authority to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def strict_context(authority: Path) -> ssl.SSLContext:
    """The site's own authority, or one that everybody trusts, as a school's proxy may have."""
    context = trusting(authority, WallClock())
    context.load_default_certs()
    return context


class Caller:
    """Posts to one collector, whose address may have a path; raises UserError for none."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
            raise UserError("not a collector's address", f"'{url}'", "write https://HOST:PORT")
        self._base = parts.path.rstrip("/")
        self._host, self._port = parts.hostname, parts.port or 443
        self._context = context
        self.date: datetime | None = None
        """What the collector's clock said with its last answer."""

    def ask(self, path: str, message: BaseModel, kind: type[W]) -> W:
        """The answer, checked; raises CollectorUnreachable or Turned."""
        data = self.fetch(path, message)
        try:
            return kind.model_validate_json(data)
        except ValidationError:
            raise UserError(
                "not a collector's answer",
                self._host,
                "check the address, and that both ends have the same version",
            ) from None

    def fetch(self, path: str, message: BaseModel) -> bytes:
        """The answer as it is."""
        body = message.model_dump_json().encode()
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=WAITS_S, context=self._context
        )
        try:
            connection.request(
                "POST", f"{self._base}{path}", body, {"content-type": "application/json"}
            )
            answer = connection.getresponse()
            data = answer.read(LARGEST + 1)
            self.date = _date(answer.getheader("date"))
        except ssl.SSLCertVerificationError as error:
            raise UnknownCollector(
                f"its certificate is not the site's ({in_words(error)})",
                self._host,
                "check the address, and this machine's clock",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error, f"{self._host}:{self._port}") from None
        finally:
            connection.close()
        if answer.status >= 500:
            raise CollectorUnreachable(f"it answers {answer.status}", self._host, "see its log")
        if answer.status != 200 or len(data) > LARGEST:
            raise _rejection(data, answer.reason, self._host)
        return data


def _date(header: str | None) -> datetime | None:
    try:
        return None if header is None else parsedate_to_datetime(header)
    except ValueError:
        return None


def _unreachable(error: Exception, where: str) -> CollectorUnreachable:
    """In words, as edge/common/reach.py has them for the broker."""
    meanings = {
        socket.gaierror: ("this name is not known here", "check the address, and the DNS server"),
        ConnectionRefusedError: (
            "nothing accepts connections there",
            "check the port, and that the collector runs: `systemctl status roommood-collector`",
        ),
        TimeoutError: ("no answer", "check the network, and firewalls on the way"),
        ssl.SSLError: (
            "does not speak TLS as we do",
            "check the port: it has to be the collector's, not the broker's",
        ),
    }
    for kind, (what, remedy) in meanings.items():
        if isinstance(error, kind):
            return CollectorUnreachable(what, where, remedy)
    return CollectorUnreachable(in_words(error), where, "check the network, and that it runs")


def _rejection(data: bytes, reason: str, host: str) -> Rejection:
    """What the collector says is wrong, in its own three parts where it sent them."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        return Rejection(reason, host, "see the collector's log")
    parts = [answer.get(key) for key in ("what", "where", "remedy")]
    what, where, remedy = (part if isinstance(part, str) else "" for part in parts)
    if what:
        return Rejection(what, f"{host}: {where}" if where else host, remedy)
    detail = answer.get("detail", reason)
    message = detail if isinstance(detail, str) else "the message was not understood"
    return Rejection(message, host, "see the collector's audit log")
