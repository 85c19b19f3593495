"""The agent's settings: each default beside its check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from edge.common.address import mask_source
from edge.common.broker import BrokerSettings, FilePath, from_folder
from edge.common.errors import SettingError
from edge.common.places import RoomPlace
from edge.common.settings import Mask, Section
from edge.permission.pin import PinHash
from edge.permission.schedule_settings import ScheduleSettings
from edge.protocol.messages import Name

KINDS = ("sim", "usb", "rtsp", "rtsps")
NAMES = ("picamera", "jetson", "auto")
NEITHER = (
    "neither a kind of camera, nor an address, nor a file that is there",
    "write it as in usb:0, or rtsp://user:password@10.0.0.4:554/live; a path as in ./a:b.mp4",
)


def _source(source: str, info: ValidationInfo) -> str:
    """A film or picture is named from the settings' folder, as every path is.

    An address with a slip is not repeated: it may hold a password.
    """
    source = source.strip()
    kind, colon, rest = source.partition(":")
    if source in NAMES:
        return source
    is_address = bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://.*", source, re.DOTALL))
    if is_address or (colon and kind.lower() in KINDS[:2]):
        return f"{kind.lower()}:{rest}"
    path = from_folder(Path(source), info)
    if (colon and "/" not in kind) or (re.search("[@=]|//", source) and not path.exists()):
        raise SettingError(*NEITHER)
    return str(path)


Source = Annotated[str, AfterValidator(_source), Mask(mask_source)]
Share = Annotated[float, Field(ge=0, le=1)]


class FacesSettings(Section):
    """How faces are found."""

    former: ClassVar[Mapping[str, str]] = {"min_neighbors": "min_detections"}

    detector: Literal["auto", "haar", "yunet"] = "haar"
    """`auto`: YuNet where its file is, else Haar. An installation has that."""
    model: FilePath | None = None
    """YuNet's file, as `roommood model fetch yunet` gets it."""
    scale_factor: float = Field(1.1, gt=1, le=2)
    min_detections: int | None = Field(None, ge=1, le=50)
    """How many detections make a face; by default 2, and 3 where no model looks again."""
    min_size: int = Field(24, ge=10, le=1000)
    """The smallest face looked for, pixels."""
    rows: tuple[tuple[Share, Share, Share, Share], ...] = ()
    """Where faces are, as `roommood agent aim` learns it: top, bottom, and the smallest and largest
    width of a face there, all as shares of the picture's height."""
    blank: tuple[tuple[Share, Share, Share, Share], ...] = ()
    """Zones that are overwritten before anything looks: left, top, width, height, as shares."""
    threads: int = Field(1, ge=1, le=64)
    """Of the detector: more make a search take less time, and cost more altogether."""
    read_ms: float = Field(30, ge=1, le=10_000)
    """Of the processor's time in each frame, for expressions that were read before."""


class NoiseSettings(Section):
    """Noise with a differential-privacy budget, in place of `min_change`.

    Its limits are what the attacks of docs/privacy-audit.md were measured with: see decision 0050.
    """

    epsilon: float = Field(4, gt=0, le=4)
    """Spent in any `lesson_minutes` in a row; smaller is more private and less exact."""
    lesson_minutes: float = Field(45, ge=45, le=1440)
    releases: int = Field(3, ge=1, le=9)
    """How often per lesson something new is told; each costs its part of the budget."""


class DisclosureSettings(Section):
    """What is too small to be told; lower is refused, higher is stricter."""

    min_faces: int = Field(5, ge=5, le=1000)
    min_cell: int = Field(3, ge=3, le=100)
    min_change: int = Field(5, ge=5, le=1000)
    """Expressions are told anew once so many faces would have to be told otherwise."""
    noise: NoiseSettings | None = None


class GpioSettings(Section):
    """A button that pauses and resumes, and a light that is on while the camera is open."""

    button: int | None = Field(None, ge=0, le=53)
    """The pin's BCM number; the button connects it to ground."""
    led: int | None = Field(None, ge=0, le=53)

    @model_validator(mode="after")
    def _two_pins(self) -> GpioSettings:
        if self.button is not None and self.button == self.led:
            raise SettingError("button and light are on one pin", "give each a pin of its own")
        return self


class KioskSettings(Section):
    """The page for a small screen in the room, on loopback only."""

    port: int = Field(8643, ge=0, le=65535)
    language: Literal["en", "de", "es", "fr"] = "en"
    responsible: str | None = Field(None, min_length=3, max_length=120)
    """Who answers for it, and where to ask; by default as in the attestation."""


class HealthSettings(Section):
    """How the device does, as JSON on loopback."""

    port: int = Field(8645, ge=0, le=65535)


class SupervisionSettings(Section):
    """How long a part may stand still before it is started anew, and the memory it may have."""

    frozen_s: float = Field(30, ge=1, le=3600)
    """A camera that gives the same picture for so long is opened anew."""
    camera_s: float = Field(600, ge=5, le=86_400)
    """Without any frame for so long, though it was opened anew, the process is replaced."""
    driver_s: float = Field(60, ge=1, le=3600)
    """A driver that does not return for so long ends the process: nothing else helps."""
    inference_s: float = Field(60, ge=5, le=3600)
    publishing_s: float = Field(60, ge=5, le=3600)
    memory_mb: float = Field(500, ge=100, le=65_536)


class AgentSettings(Section):
    """One agent in one room."""

    site: Name
    room: Name
    device: Name = ""
    """Defaults to the room's name."""
    mode: Literal["emotion", "headcount"] = "emotion"
    """`emotion` needs an attestation where the camera is a real one; `headcount` reads none."""
    attestation: FilePath | None = None
    """Signed by `roommood site attest`."""
    site_key: FilePath | None = None
    """The site's public key, site.pub."""
    enrolled: FilePath | None = None
    """The folder of the device's enrolment, from which site, room, broker and state are taken."""
    camera: Annotated[str, AfterValidator(_source), Mask(mask_source)] = Field(
        "sim:seats=24,seed=1", min_length=1
    )
    transport: Literal["auto", "tcp", "udp"] = "auto"
    """How a network camera sends; `auto` asks for TCP, and takes UDP from one that has no other."""
    model: str = Field("fer7", min_length=1)
    """A shipped pack's name, or a folder with a pack.yaml."""
    window_seconds: float = Field(15, ge=1, le=3600)
    frames_per_second: float = Field(2, gt=0, le=30)
    faces: FacesSettings = FacesSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    broker: BrokerSettings = BrokerSettings()
    schedule: ScheduleSettings | None = None
    gpio: GpioSettings | None = None
    kiosk: KioskSettings | None = None
    health: HealthSettings | None = None
    supervision: SupervisionSettings = SupervisionSettings()
    pin: PinHash | None = None
    """Asked by `agent aim`, and by the kiosk's button; as `roommood agent pin` prints it."""
    state: FilePath
    """A folder for the windows that the collector has not acknowledged."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def place(self) -> RoomPlace:
        return RoomPlace(self.site, self.room)

    @model_validator(mode="after")
    def _two_ports(self) -> AgentSettings:
        if self.kiosk and self.health and 0 < self.kiosk.port == self.health.port:
            raise SettingError(
                f"kiosk.port and health.port are both {self.kiosk.port}", "choose another for one"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _name_device(cls, values: object) -> object:
        if isinstance(values, dict) and "device" not in values and "room" in values:
            return {**values, "device": values["room"]}
        return values
