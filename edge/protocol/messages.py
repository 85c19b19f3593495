"""What may leave the room: one window's aggregated counts, and the state of the device.

`Mood` is the only type that carries anything seen by the camera. It has no field that could hold
a box, an identity, an image or free text; unknown fields are refused at both ends of the wire.
The field names are a contract, written down in docs/contract.md.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

MAX_BYTES = 1024
"""The largest message of any kind, bytes of UTF-8 JSON."""

UNCERTAIN = "uncertain"
"""The cell for faces whose expression the model would not name."""

OTHER = "other"
"""The cell that takes the faces of small cells."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,23}$")]
WithholdReason = Literal[
    "few_faces", "paused", "no_camera", "headcount_only", "gathering", "budget_spent"
]
"""Why nothing is told; the last two in noise mode alone, see edge/window/noise.py."""
State = Literal["online", "paused", "offline"]
ModeName = Literal["emotion", "headcount"]
Reason = Literal[
    "attested",
    "exempt_source",
    "exempt_demo",
    "set",
    "no_attestation",
    "unreadable",
    "bad_signature",
    "other_room",
    "not_yet",
    "expired",
    "prohibited",
]
"""Why expressions are read, or faces only counted."""
Pause = Literal["command", "button", "kiosk", "schedule", "clock", "unreadable"]
"""Who or what keeps the camera closed."""

Fitting = Literal["button", "light", "screen"]
"""What of the device is in the room, besides the camera."""

Throttle = Literal["under_voltage", "capped", "throttled", "soft_limit"]
"""Why a Raspberry Pi runs slower than it could; `capped` is its frequency."""

REASONS: dict[Reason, str] = {
    "attested": "authorised",
    "exempt_source": "exempt: the source is simulated or recorded, nobody is being watched",
    "exempt_demo": "exempt: a demonstration, whose counts do not leave this machine",
    "set": "the settings say 'headcount'",
    "no_attestation": "no authorisation has been set",
    "unreadable": "the authorisation or the site's key cannot be read",
    "bad_signature": "the authorisation is not signed with the site's key",
    "other_room": "the authorisation is for another site or room",
    "not_yet": "the authorisation is not valid yet, or the clock is wrong",
    "expired": "the authorisation has expired",
    "prohibited": "prohibited in this country, and no exception is authorised",
}


YEARS = range(1970, 2200)
"""Of instants: what is reckoned with them, days before and after, stays a time."""

MOST = 2**53 - 1
"""The largest number: JSON's readers keep it exact, databases and sums bear it."""


def _utc(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise ValueError(f"must be of the years {YEARS.start} to {YEARS.stop - 1}")
    if at.tzinfo is None or at.utcoffset() != timezone.utc.utcoffset(None):
        raise ValueError("must be in UTC, ending in Z")
    return at


def rfc3339(at: datetime) -> str:
    """UTC with milliseconds, as in `2026-03-02T08:15:00.000Z`."""
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_of(seconds: float) -> str:
    """The same of a time in seconds since 1970."""
    return rfc3339(datetime.fromtimestamp(seconds, timezone.utc))


Instant = Annotated[
    datetime,
    Field(strict=False),  # JSON has no instants: a string is read as one
    AfterValidator(_utc),
    PlainSerializer(rfc3339, return_type=str),
]
Identity = Annotated[UUID, Field(strict=False)]  # JSON has no UUIDs either
Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.+-]{1,32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
"""SHA-256 of a model file, shortened."""
Cell = Annotated[int, Field(ge=0, le=10_000)]
Windows = Annotated[int, Field(ge=1, le=100_000)]
"""How many windows a message stands for, the last of which has its `seq`; 1 is not written."""


def _leave_out_one(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if (name, value) != ("windows", 1)}


class MessageError(ValueError):
    """Bytes that are not a message of the expected kind."""


class Message(BaseModel):
    """Strict and frozen: no unknown field, no coercion of types, no change once made."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def encode(self) -> bytes:
        """UTF-8 JSON, as sent; raises MessageError past MAX_BYTES."""
        data = self.model_dump_json(by_alias=True).encode()
        if len(data) > MAX_BYTES:
            raise MessageError(f"{len(data)} bytes, more than the {MAX_BYTES} allowed")
        return data


class Mood(Message):
    """One window, `roommood.mood/1`; (site, room, device, boot, seq) is its identity."""

    schema_: Literal["roommood.mood/1"] = Field(alias="schema")
    site: Name
    room: Name
    device: Name
    boot: Identity
    seq: int = Field(ge=0, le=MOST)
    start: Instant
    seconds: float = Field(gt=0, le=86_400)
    clock: Literal["synced", "unsynced"]
    frames: int = Field(ge=0, le=10_000_000)
    faces: Cell | None
    counts: dict[Label, Cell] | None = Field(max_length=24)
    withheld: WithholdReason | None
    model: Digest
    windows: Windows = 1

    @model_serializer(mode="wrap")
    def _without_one(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _leave_out_one(handler(self))

    @model_validator(mode="after")
    def _consistent(self) -> Mood:
        if (self.counts is None) != (self.withheld is not None):
            raise ValueError("counts are null exactly when withheld says why")
        if (self.faces is None) != (self.withheld not in (None, "headcount_only")):
            raise ValueError("faces are null exactly when withheld, but for headcount_only")
        if self.counts is not None:
            if UNCERTAIN not in self.counts:
                raise ValueError(f"counts lack '{UNCERTAIN}'")
            if sum(self.counts.values()) != self.faces:
                raise ValueError(f"counts sum to {sum(self.counts.values())}, not {self.faces}")
        return self


class Health(Message):
    """How the device does; plain figures, nothing of what the camera saw."""

    version: Version
    uptime_s: int = Field(ge=0, le=MOST)
    frames_per_s: float = Field(ge=0, le=MOST)
    ms_per_frame: float | None = Field(ge=0, le=MOST)
    waiting: int = Field(ge=0, le=MOST)
    """Windows in the outbox that the collector has not acknowledged."""
    merged: int = Field(0, ge=0, le=MOST)
    """Windows that were merged with the next because the outbox was full, since the start."""
    mode: ModeName
    because: Reason
    pause: Pause | None = None
    faces: Cell | None = None
    """As in the newest window: null where that tells none."""
    model: Digest | None = None
    last_ack_s: int | None = Field(None, ge=0, le=MOST)
    """Seconds since the collector last acknowledged a window, in this run."""
    dropped: int = Field(0, ge=0, le=MOST)
    """Windows lost because not even merging made room, since the start."""
    disk: Literal["ok", "failing"] = "ok"
    """`failing`: the disk takes no windows, and they wait in memory."""
    temperature_c: float | None = Field(None, ge=-40, le=150)
    throttled: tuple[Throttle, ...] = Field((), strict=False, max_length=16)
    memory_mb: float | None = Field(None, ge=0, le=MOST)
    detector: Literal["haar", "yunet"] | None = None
    """What finds the faces: `auto` has chosen one of the two."""
    fitted: tuple[Fitting, ...] | None = Field(None, strict=False, max_length=3)
    """What the people in the room can switch it off with, and see it by; empty: nothing."""


class Status(Message):
    """`roommood.status/1`: whether the agent works; `offline` is also the agent's last will."""

    schema_: Literal["roommood.status/1"] = Field(alias="schema")
    site: Name
    room: Name
    device: Name
    boot: Identity
    state: State
    at: Instant
    health: Health | None = None


class Ack(Message):
    """The collector has committed the window (boot, seq), which stands for so many."""

    boot: Identity
    seq: int = Field(ge=0, le=MOST)
    windows: Windows = 1

    @model_serializer(mode="wrap")
    def _without_one(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _leave_out_one(handler(self))


MOST_SPANS = 16
"""As many as fit into a message."""


class Command(Message):
    """What a teacher or a schedule asks of the agent, or the collector: windows that it lost, and
    that what was erased is erased here too."""

    command: Literal["pause", "resume", "stop_today", "resend", "erase"]
    since: Instant | None = None
    """For `resend`: windows from then on are wanted again, acknowledged or not."""
    spans: tuple[tuple[Instant, Instant], ...] | None = Field(
        None, strict=False, min_length=1, max_length=MOST_SPANS
    )
    """For `erase`: times, each from when up to when."""

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}

    @model_validator(mode="after")
    def _with_times(self) -> Command:
        if (self.command == "resend") != (self.since is not None):
            raise ValueError("since belongs to resend")
        if (self.command == "erase") != (self.spans is not None):
            raise ValueError("spans belong to erase")
        return self


M = TypeVar("M", bound=Message)


def decode(kind: type[M], data: bytes) -> M:
    """Reads one message; raises MessageError with one line that quotes no value it was sent."""
    if len(data) > MAX_BYTES:
        raise MessageError(f"{len(data)} bytes, more than the {MAX_BYTES} allowed")
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise MessageError(f"{where[:64]}: {first['msg']}") from None


def topic(site: str, room: str, leaf: Literal["mood", "status", "ack", "command"]) -> str:
    """The MQTT topic of a room; `+` as site or room makes a subscription."""
    return f"roommood/v1/{site}/{room}/{leaf}"


def address(name: str) -> tuple[str, str, str] | None:
    """(site, room, leaf) of a topic of ours, or None."""
    parts = name.split("/")
    if len(parts) != 5 or parts[:2] != ["roommood", "v1"]:
        return None
    return parts[2], parts[3], parts[4]
