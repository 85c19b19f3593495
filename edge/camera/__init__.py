"""Chooses a camera by its source; a driver is imported only when it is chosen."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Literal

from edge.camera.base import Camera
from edge.common.address import mask_source
from edge.common.errors import UserError

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}

SOURCE_FORMS = (
    "usb:0, picamera, jetson, rtsp://…, a video file, a picture, a folder of pictures, sim:"
)


Transport = Literal["auto", "tcp", "udp"]
SCHEMES = {"sim": "simulation", "usb": "usb"}


def make(source: str, transport: Transport = "auto") -> Camera:
    """The camera for a source, not yet opened; raises UserError for one that names nothing.

    `transport`: how a network camera sends its stream.
    """
    driver, argument = driver_of(source)
    module = importlib.import_module(f"edge.camera.{driver}")
    options = {"transport": transport} if driver == "stream" else {}
    camera: Camera = module.camera(argument, **options)
    return camera


def is_still(source: str) -> bool:
    """Whether the source may show one picture alone, or pictures of different rooms."""
    return driver_of(source)[0] == "pictures"


def pictures_in(folder: Path) -> list[Path]:
    """A folder's pictures, by name; not hidden files, such as the ._x.jpg that macOS leaves."""
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in PICTURES and not file.name.startswith(".")
    )


def driver_of(source: str) -> tuple[str, str]:
    """The module in this folder that serves a source, and what it is given."""
    source = source.strip()
    kind, _, rest = source.partition(":")
    kind = kind.lower()
    if kind in SCHEMES:
        return SCHEMES[kind], rest
    if source.startswith("/dev/"):  # /dev/video0, or a link to it under /dev/v4l
        return "usb", source
    if source in ("picamera", "jetson"):
        return source, ""
    if kind in ("rtsp", "rtsps"):
        return "stream", source
    if "://" in source:
        what = f"{kind}:// is no kind of camera"
        raise UserError(what, mask_source(source), f"use one of {SOURCE_FORMS}")
    path = Path(source)
    if not path.exists():
        where = mask_source(source)
        raise UserError("no such file or folder", where, f"use one of {SOURCE_FORMS}")
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return "pictures", source
    return "video", source
