"""A device's requests to its collector: JSON over HTTPS, one connection each, nothing followed."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from edge.common.broker import trusting
from edge.common.clock import WallClock
from edge.common.errors import UserError
from edge.protocol.device_api import DeviceMessage

log = logging.getLogger(__name__)

WAITS_S = 20
LARGEST = 32 * 2**20
"""Bytes of an answer: a model pack is far smaller."""

W = TypeVar("W", bound=DeviceMessage)


class CollectorUnreachable(UserError):
    """The collector does not answer now; it may later."""


class Rejection(UserError):
    """The collector answered, and said no."""


def unverified() -> ssl.SSLContext:
    """For the one question whose answer proves itself: which authority to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def verified(authority: Path) -> ssl.SSLContext:
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
        except ssl.SSLCertVerificationError as error:
            raise UserError(
                f"its certificate is not the site's ({error.verify_message})",
                self._host,
                "check the address, and the clock",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise CollectorUnreachable(
                str(error), f"{self._host}:{self._port}", "check that the collector is running"
            ) from None
        finally:
            connection.close()
        if answer.status >= 500:
            raise CollectorUnreachable(f"it answers {answer.status}", self._host, "see its log")
        if answer.status != 200 or len(data) > LARGEST:
            raise _answered(data, answer.reason, self._host)
        return data


def _answered(data: bytes, reason: str, host: str) -> Rejection:
    """What the collector says is wrong, in its own three parts where it sent them."""
    try:
        answer = json.loads(data)
    except ValueError:
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
