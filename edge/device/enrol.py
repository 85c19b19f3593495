"""Enrolment, as the device sees it: makes its key, asks, shows a fingerprint, waits for IT."""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from edge.common.atomic_file import OWNER_ALONE, write
from edge.common.errors import ENROL_ANEW, UserError, unusable
from edge.common.settings import Section
from edge.device.hardware import hardware
from edge.device.https import Caller, CollectorUnreachable, open_context, strict_context
from edge.protocol.code import Code, is_proven, proof
from edge.protocol.device_api import (
    EnrolmentRequest,
    Grant,
    Hello,
    RequestStatus,
    StatusQuery,
    Welcome,
)
from edge.protocol.identity import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    LINK,
    Identity,
    fingerprint,
    install,
    new_key,
    private_pem,
    read_key,
    request,
)

log = logging.getLogger(__name__)

SITE = "site.yaml"
"""What enrolment tells of the site; the agent's settings are laid over it."""
ABOUT = "enrolment.json"
SITE_KEY = "site.pub"
PENDING = "pending"
EVERY_S = 2.0
LONGEST_WAIT_S = 30.0


class EnrolmentRecord(Section):
    """`enrolment.json`: what later requests need."""

    collector: str
    site: str
    room: str
    hardware: str


class InvitationFile(Section):
    """The file on a card's boot partition."""

    collector: str
    code: str


class DeviceEnrolment:
    """One attempt; one that was broken off goes on with the same key."""

    def __init__(self, url: str, code: Code, state: Path) -> None:
        self._url, self._code, self._state = url.rstrip("/"), code, state
        self._pending = state / PENDING

    def run(self, say: Callable[[str], None], patience_s: float) -> Identity:
        """Raises UserError when it was rejected, or nobody approved it in time."""
        welcome = self._welcome()
        authority = self._pending / AUTHORITY
        write(authority, welcome.authority)
        caller = Caller(self._url, strict_context(authority))
        csr = self._request(welcome.room)
        key = read_key(self._pending / KEY)
        message = EnrolmentRequest(
            code=self._code.number,
            csr=csr,
            hardware=hardware(),
            version=version("roommood"),
            proof=proof(self._code.key, "request", csr),
        )
        caller.ask("/device/requests", message, RequestStatus)
        say(f"room {welcome.site}/{welcome.room}, fingerprint {fingerprint(key.public_key())}")
        say("waiting for IT to compare the fingerprint and approve it")
        grant = self._wait(caller, time.monotonic() + patience_s)
        return self._settle(welcome, grant)

    def _welcome(self) -> Welcome:
        """The site's authority, from somebody who knows the code: only then it is believed."""
        nonce = secrets.token_hex(32)
        hello = Hello(code=self._code.number, nonce=nonce)
        welcome = Caller(self._url, open_context()).ask("/device/hello", hello, Welcome)
        parts = (nonce, welcome.site, welcome.room, welcome.authority)
        if not is_proven(welcome.proof, self._code.key, "welcome", *parts):
            raise UserError(
                "it does not know the code; somebody else may be answering in the "
                "collector's place",
                self._url,
                "do not continue on this network; ask IT",
            )
        return welcome

    def _request(self, room: str) -> str:
        """The same as before for the same code, so that a power cut costs nothing."""
        file = self._pending / "request.json"
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            if record["code"] == self._code.number and record["room"] == room:
                return str(record["csr"])
        except (OSError, ValueError, KeyError):
            pass
        key = new_key()
        csr = request(key, room)
        write(self._pending / KEY, private_pem(key), OWNER_ALONE)
        write(file, json.dumps({"code": self._code.number, "room": room, "csr": csr}))
        return csr

    def _wait(self, caller: Caller, end: float) -> Grant:
        pause = EVERY_S
        while True:
            nonce = secrets.token_hex(32)
            number, key = self._code.number, self._code.key
            query = StatusQuery(code=number, nonce=nonce, proof=proof(key, "asked", nonce))
            try:
                answer = caller.ask("/device/requests/standing", query, RequestStatus)
            except CollectorUnreachable as trouble:
                log.warning("%s", trouble)
                answer = None
                pause = min(2 * pause, LONGEST_WAIT_S)
            if answer is not None:
                self._check(answer, nonce)
                if answer.granted is not None:
                    return answer.granted
                pause = EVERY_S
            if time.monotonic() + pause > end:
                raise UserError(
                    "nobody has approved this device yet",
                    self._url,
                    "run the same command again; it continues from here",
                )
            time.sleep(pause)

    def _check(self, answer: RequestStatus, nonce: str) -> None:
        grant_json = answer.granted.model_dump_json() if answer.granted else ""
        if not is_proven(answer.proof, self._code.key, "standing", nonce, answer.state, grant_json):
            raise UserError(
                "an answer from somebody who does not know the code",
                self._url,
                "do not continue on this network; ask IT",
            )
        if answer.state == "refused":
            shutil.rmtree(self._pending)
            raise UserError("IT rejected this device", self._url, "ask IT for a new code")

    def _settle(self, welcome: Welcome, grant: Grant) -> Identity:
        """Writes identity and settings; only then what was pending is forgotten."""
        state = self._state.resolve()
        key = (self._pending / KEY).read_bytes()
        identity = install(state, key, grant.certificate, welcome.authority)
        write(state / SITE_KEY, grant.site_key)
        about = EnrolmentRecord(
            collector=self._url, site=welcome.site, room=welcome.room, hardware=hardware()
        )
        write(state / ABOUT, about.model_dump_json())
        write(state / SITE, yaml.safe_dump(_settings(state, about, grant), sort_keys=False))
        shutil.rmtree(self._pending)
        return identity


def _settings(state: Path, about: EnrolmentRecord, grant: Grant) -> dict[str, Any]:
    identity = state / LINK
    return {
        "site": about.site,
        "room": about.room,
        "device": about.room,
        "state": str(state),
        "site_key": str(state / SITE_KEY),
        "broker": {
            "host": grant.broker.host,
            "port": grant.broker.port,
            "ca": str(identity / AUTHORITY),
            "certificate": str(identity / CERTIFICATE),
            "key": str(identity / KEY),
        },
    }


def about(state: Path) -> EnrolmentRecord:
    """What enrolment noted; raises UserError where the device is not enrolled, or not this one."""
    path = state / ABOUT
    try:
        record = EnrolmentRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            "this device is not enrolled", path, "run `roommood device enrol`"
        ) from None
    except (OSError, ValidationError) as error:
        raise unusable(error, path, ENROL_ANEW) from None
    here = hardware()
    if record.hardware and here and record.hardware != here:
        raise UserError(
            "this card was enrolled in another machine, and a key must not be in two",
            state,
            "ask IT for a new code and run `roommood device enrol` here",
        )
    return record
