"""An invitation held before the device's own camera: the picture is looked at and let go of."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import unquote

import cv2

from edge.camera import make
from edge.common.errors import CameraFault, UserError

BEGINS = "roommood:"
WAITS_S = 120.0


def seen_by(
    camera: str, say: Callable[[str], None], patience_s: float = WAITS_S
) -> tuple[str, str]:
    """The collector's address and the code; raises UserError if none is seen in time."""
    source, detector = make(camera), cv2.QRCodeDetector()
    end = time.monotonic() + patience_s
    say(f"{camera}: hold the QR code up to the camera")
    try:
        source.open()
        while time.monotonic() < end:
            frame = source.read()
            text, _, _ = detector.detectAndDecode(frame)
            frame.fill(0)
            if text.startswith(BEGINS):
                url, _, code = text.removeprefix(BEGINS).partition("#")
                return unquote(url), code
    except CameraFault as fault:
        raise fault.lasting() from None
    finally:
        source.close()
    raise UserError(f"saw no code in {patience_s:.0f} s", camera, "type it with --code instead")
