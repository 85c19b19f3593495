"""Which cameras this machine has, by the name to write in the settings.

Read from what the kernel and udev say (/sys/class/video4linux, /dev/v4l/by-id): nothing is
opened, so a camera that is in use is listed too.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class CameraListing(NamedTuple):
    """A camera; `source` stays the same however cameras are plugged in, where udev has a name."""

    source: str
    title: str
    node: str | None


def cameras(root: Path = Path("/")) -> list[CameraListing]:
    """All of them, those of the processor's own connectors first."""
    return [*_on_board(root), *_usb(root)]


def _on_board(root: Path) -> Iterator[CameraListing]:
    model = root / "proc/device-tree/model"
    title = model.read_text(errors="replace").strip("\0 ") if model.exists() else ""
    if title.startswith("Raspberry Pi") and importlib.util.find_spec("picamera2"):
        yield CameraListing("picamera", "the Pi's own connector, if a camera is on it", None)
    if (root / "etc/nv_tegra_release").exists():
        yield CameraListing("jetson", "the Jetson's own connector, if a camera is on it", None)


def _usb(root: Path) -> Iterator[CameraListing]:
    """Of the nodes of one camera the first gives pictures; the others tell about them."""
    stable = {
        os.path.basename(os.readlink(link)): link
        for folder in ("by-path", "by-id")
        for link in sorted((root / "dev/v4l" / folder).glob("*"))
        if link.is_symlink()
    }
    nodes = (root / "sys/class/video4linux").glob("video*")
    for node in sorted(nodes, key=lambda path: int(path.name.removeprefix("video"))):
        if _read(node / "index") not in ("0", "") or not (root / "dev" / node.name).exists():
            continue
        link = stable.get(node.name)
        name = f"/{link.relative_to(root)}" if link else node.name.removeprefix("video")
        yield CameraListing(f"usb:{name}", _read(node / "name") or "camera", f"/dev/{node.name}")


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
