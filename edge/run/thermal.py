"""How hot the machine is, and whether it slows itself down, where it tells.

Temperature is the kernel's, Linux's /sys/class/thermal; throttling is what a Raspberry Pi's
firmware says (vcgencmd get_throttled: bit 0 under-voltage, 1 frequency capped, 2 throttled, 3 soft
temperature limit).
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
from pathlib import Path

from edge.protocol.messages import Throttle

log = logging.getLogger(__name__)

SYS = Path("/sys/class/thermal")

BITS: tuple[Throttle, ...] = ("under_voltage", "capped", "throttled", "soft_limit")

SLOWDOWNS = {"capped", "throttled", "soft_limit"}
"""What a machine says when it is too hot to go on as before."""

FIRMWARE = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""The same figure without starting a process, on Raspberry Pi OS."""


def temperature(sys: Path = SYS) -> float | None:
    """The hottest zone, degrees Celsius; None where no sensor is told of."""
    degrees = []
    for path in sys.glob("thermal_zone*/temp"):
        with contextlib.suppress(OSError, ValueError):
            degrees.append(int(path.read_text(encoding="ascii")) / 1000)
    believable = [one for one in degrees if -40 < one < 150]
    return round(max(believable), 1) if believable else None


def throttle_reasons(firmware: Path = FIRMWARE, command: str = "vcgencmd") -> tuple[Throttle, ...]:
    """Why the machine runs slower than it could, this moment; nothing where it does not say."""
    try:
        text = firmware.read_text(encoding="ascii")
    except OSError:
        if shutil.which(command) is None:
            return ()
        try:
            process = subprocess.run(
                [command, "get_throttled"], capture_output=True, text=True, timeout=2, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return ()
        text = process.stdout.partition("=")[2]
    try:
        bits = int(text.strip(), 16)
    except ValueError:
        return ()
    return tuple(name for number, name in enumerate(BITS) if bits >> number & 1)


class FramePace:
    """How often a frame is looked at: half as often while the machine is too hot, which it says."""

    def __init__(self, frames_per_second: float) -> None:
        self._frames_per_second = frames_per_second
        self._hot = False

    def period_s(self) -> float:
        """Seconds from one frame to the next, as the machine is now."""
        hot = bool(set(throttle_reasons()) & SLOWDOWNS)
        if hot != self._hot:
            log.warning(
                "the machine is %s", "too hot: halving the frame rate" if hot else "cool again"
            )
        self._hot = hot
        return (2 if hot else 1) / self._frames_per_second
