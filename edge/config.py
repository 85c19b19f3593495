"""The agent's settings: each default beside its check."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from edge.broker import BrokerSettings, FilePath
from edge.mood import Name
from edge.settings import Section


class FacesSettings(Section):
    """How faces are found; the defaults are the reference settings of the seed project."""

    detector: Literal["haar"] = "haar"
    scale_factor: float = Field(1.1, gt=1, le=2)
    min_neighbors: int = Field(5, ge=1, le=50)
    min_size: int = Field(30, ge=10, le=1000)
    """The smallest face looked for, pixels."""


class DisclosureSettings(Section):
    """What is too small to be told; lower is refused, higher is stricter."""

    min_faces: int = Field(5, ge=5, le=1000)
    min_cell: int = Field(3, ge=3, le=100)


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
    demo: bool = False
    """Set by `roommood demo`; holds only with a broker on this machine."""
    camera: str = Field("sim:seats=24,seed=1", min_length=1)
    model: str = Field("fer7", min_length=1)
    """A shipped pack's name, or a folder with a pack.yaml."""
    window_seconds: float = Field(15, ge=1, le=3600)
    frames_per_second: float = Field(2, gt=0, le=30)
    faces: FacesSettings = FacesSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    broker: BrokerSettings = BrokerSettings()
    state: FilePath
    """A folder for the windows that the collector has not acknowledged."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _name_device(cls, values: object) -> object:
        if isinstance(values, dict) and "device" not in values and "room" in values:
            return {**values, "device": values["room"]}
        return values
