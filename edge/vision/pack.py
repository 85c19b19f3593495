"""A model pack: a folder with a TFLite file and `pack.yaml`, which says how to use it."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from edge.common.errors import UserError
from edge.common.settings import Section, load
from edge.protocol.messages import OTHER, UNCERTAIN, Label
from edge.vision.operating_point import OperatingPoint, PointName, plain

PACK_FILE = "pack.yaml"
PACKS = Path(__file__).resolve().parents[2] / "models" / "packs"


class Input(Section):
    """What the model is shown: a square grey crop, scaled linearly from 0..255 to low..high."""

    size: int = Field(ge=16, le=512)
    low: float
    high: float
    margin: float = Field(ge=-0.3, le=1)
    """How far the crop reaches past the detector's box on each side, as a share of the box."""
    least_contrast: float = Field(0, ge=0, le=100)
    """Standard deviation of a crop's grey levels that the model is used to at least; in dim or flat
    light there is less, and the crop is stretched to it."""


class OtherForm(Section):
    """Another file of the same network."""

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Pack(Section):
    """`pack.yaml`, checked."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    float16: OtherForm | None = None
    """The network before it was made int8, for machines that run that faster: see `forms.py`.
    Weights are stored in half precision; the arithmetic is float32."""
    labels: tuple[Label, ...] = Field(min_length=2, max_length=20)
    input: Input
    temperature: float = Field(gt=0)
    """Divides the logits, so that a probability of 0.8 is right eight times in ten."""
    threshold: float = Field(ge=0, lt=1)
    """Below this probability a face counts as uncertain."""
    face_threshold: float = Field(ge=0, lt=1, default=0)
    """Below this probability of being a face at all, what the detector found is not counted."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Faces held out: rows are the truth, columns the labels and then `uncertain`."""
    room: OperatingPoint | None = None
    """How answers are read in a room; as they were taught (`temperature`) where there is none."""
    network: str = ""
    parameters: int = Field(ge=1)
    truth: Literal["ferplus", "fer2013", "own"]
    data: str
    command: str
    licence: str
    figures: dict[str, float] = Field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """The first 12 hex digits of the int8 file's SHA-256, as published, whichever form runs."""
        return self.sha256[:12]

    def point(self, name: PointName = "room") -> OperatingPoint:
        """How to read the model's answers: for a room, or as the people who taught it vote."""
        if name == "room" and self.room is not None:
            return self.room
        faces = [sum(row) for row in self.confusion]
        usual = tuple(n / sum(faces) for n in faces) if sum(faces) else None
        return plain(len(self.labels), self.temperature, self.threshold, usual)


def open_pack(where: str) -> tuple[Pack, bytes]:
    """The pack in a folder, or a shipped one by its name, with its int8 file's bytes.

    Raises UserError when the folder, its pack.yaml or a file that it names is missing or does not
    match.
    """
    return _open(where)[:2]


def open_float16(where: str) -> tuple[Pack, bytes | None]:
    """The same with the float16 file's bytes, or None for a pack that has none."""
    pack, _, float16 = _open(where)
    return pack, float16


def _open(where: str) -> tuple[Pack, bytes, bytes | None]:
    """The pack and both of its files: whichever runs, a pack is whole or it is refused."""
    pack, folder = _describe(where)
    int8, other = _check(folder, pack.file, pack.sha256), pack.float16
    return pack, int8, _check(folder, other.file, other.sha256) if other else None


def _describe(where: str) -> tuple[Pack, Path]:
    folder = Path(where)
    if not folder.exists() and "/" not in where:
        folder = PACKS / where
    if not folder.is_dir():
        names = ", ".join(sorted(p.parent.name for p in PACKS.glob(f"*/{PACK_FILE}")))
        raise UserError("no such model pack", where, f"name a folder, or one of {names}")
    pack = load(Pack, folder / PACK_FILE)
    if len(set(pack.labels)) != len(pack.labels) or {UNCERTAIN, OTHER} & set(pack.labels):
        raise UserError(
            f"labels repeat, or use '{UNCERTAIN}' or '{OTHER}'",
            folder / PACK_FILE,
            "give each label a name of its own",
        )
    rows, columns = len(pack.labels), len(pack.labels) + 1
    if pack.confusion and [len(row) for row in pack.confusion] != [columns] * rows:
        raise UserError(
            "'confusion' has the wrong shape",
            folder / PACK_FILE,
            f"give it {rows} rows of {columns} counts",
        )
    if pack.room and len(pack.room.weights) != rows:
        raise UserError(
            "'room' has the wrong shape", folder / PACK_FILE, f"give it numbers for {rows} labels"
        )
    return pack, folder


def _check(folder: Path, file: str, sha256: str) -> bytes:
    path = folder / file
    try:
        content = path.read_bytes()
    except OSError:
        raise UserError("missing", path, "copy the whole pack again") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(f"does not match the SHA-256 in {PACK_FILE}", path, "copy the pack again")
    return content
