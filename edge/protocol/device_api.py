"""What a device and the collector say to each other over HTTPS: enrolment, renewal, updates.

Nothing here can carry what a camera saw; the fields are a contract, written down in docs/fleet.md.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from edge.protocol.messages import MOST, Name, Version

Hex16 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Serial = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,40}$")]
"""A certificate's serial number, hexadecimal."""
Base64 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z+/=]{0,256}$")]
Pem = Annotated[str, StringConstraints(max_length=8192)]
Purpose = Literal["renew", "report", "bundle"]
Number = Annotated[int, Field(ge=0, le=MOST)]
BoardDigest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{16})?$")]
"""Of the machine's serial number; empty where it has none."""
UpdateFailure = Literal[
    "",
    "no_window",
    "crashed",
    "no_frames",
    "stalled",
    "model",
    "damaged",
    "downgrade",
    "forgotten",
    "invalid",
]
"""Why an update was not kept; empty where none was refused. What exactly stays on the device."""

FAILURES: dict[UpdateFailure, str] = {
    "": "no reason was reported",
    "no_window": "the agent did not get through one window with it",
    "crashed": "the agent ended again and again",
    "no_frames": "no frame in two windows",
    "stalled": "a part of the agent stood still",
    "model": "its model cannot be run",
    "damaged": "its signature, number or content is not right",
    "downgrade": "a newer one was installed before",
    "forgotten": "its disk lost which ones it had: delete the folder updates there, sign a new one",
    "invalid": "its settings are not valid on this device: see the agent's log",
}

_TEXTS: tuple[tuple[str, UpdateFailure], ...] = (
    ("did not get through one window", "no_window"),
    ("before a window's end", "crashed"),
    ("no frame in", "no_frames"),
    ("has not moved for", "stalled"),
    ("memory:", "stalled"),
    ("its model", "model"),
    ("a downgrade cannot be told", "forgotten"),
    ("a downgrade", "downgrade"),
    ("sign it", "damaged"),
)
"""What the device's own sentences, and those of older devices, amount to; all else is `invalid`."""


def update_failure(text: str) -> UpdateFailure:
    """The word for a sentence of a device's."""
    for word in get_args(UpdateFailure):
        if text == word:
            return cast(UpdateFailure, word)
    return next((word for part, word in _TEXTS if part in text), "invalid")


def _fold(text: object) -> object:
    """What is no text stays, to be refused."""
    return update_failure(text) if isinstance(text, str) else text


class DeviceMessage(BaseModel):
    """Strict: no unknown field, no coercion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Hello(DeviceMessage):
    """A device knows a code, and asks whom it may trust."""

    code: Hex16
    """The code's number."""
    nonce: Hex64


class Welcome(DeviceMessage):
    """Whom to trust and who one is; proven with the code over nonce, site, room, authority."""

    site: Name
    room: Name
    authority: Pem
    proof: Hex64


class EnrolmentRequest(DeviceMessage):
    """A certificate request for the room; proven with the code over the request."""

    code: Hex16
    csr: Pem
    hardware: BoardDigest
    version: Version
    proof: Hex64


class StatusQuery(DeviceMessage):
    """How the request stands; proven with the code over the nonce."""

    code: Hex16
    nonce: Hex64
    proof: Hex64


class BrokerAddress(DeviceMessage):
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(ge=1, le=65535)


class Grant(DeviceMessage):
    """All a device needs to begin."""

    certificate: Pem
    site_key: Pem
    """The public key that signs attestations and updates."""
    broker: BrokerAddress


class RequestStatus(DeviceMessage):
    """The answer; proven with the code over the nonce and what was granted."""

    state: Literal["waiting", "refused", "approved"]
    granted: Grant | None = None
    proof: Hex64


class Challenge(DeviceMessage):
    """A number that signs one message, once."""

    nonce: Hex64


class SignedMessage(DeviceMessage):
    """A message of an enrolled device, signed with the key of the certificate `serial`."""

    serial: Serial
    nonce: Hex64
    purpose: Purpose
    body: str = Field(max_length=16_384)
    """JSON of Renewal, Report or Wanted."""
    signature: Base64
    """Base64 of ECDSA with SHA-256 over `signed_bytes`."""

    def signed_bytes(self) -> bytes:
        head = ("roommood", self.purpose, self.serial, self.nonce)
        return "\n".join((*head, self.body)).encode()


class Renewal(DeviceMessage):
    csr: Pem


class RenewalReply(DeviceMessage):
    certificate: Pem


class DeviceReport(DeviceMessage):
    """How a device's versions stand."""

    version: Version
    hardware: BoardDigest
    bundle: Number | None = None
    """The update that is in use."""
    trying: Number | None = None
    refused: Number | None = None
    """The last update that was not kept, and why."""
    because: Annotated[UpdateFailure, BeforeValidator(_fold)] = ""


class AvailableUpdate(DeviceMessage):
    """An update, to be fetched by its digest."""

    number: int = Field(ge=1)
    sha256: Hex64
    size: int = Field(ge=1)


class ReportReply(DeviceMessage):
    """What a device is to do."""

    offer: AvailableUpdate | None = None


class BundleRequest(DeviceMessage):
    sha256: Hex64
