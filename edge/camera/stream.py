"""A network camera over RTSP; a stream that ends or stalls is a fault that may pass."""

from __future__ import annotations

import logging
import os
import socket
import time
import zlib
from urllib.parse import urlsplit

import cv2

from edge.camera import Transport
from edge.camera.base import Grey
from edge.camera.opencv import OpenCvCamera, grey
from edge.common.address import mask_source, split
from edge.common.errors import CameraFault

log = logging.getLogger(__name__)

TIMEOUT_MS = 5_000
KNOCK_S = 3.0

STALE_S = 10.0
"""For the lowest rows of a picture to stay as they are, to the last bit: no sensor does that."""
AT_MOST_EVERY_S = 3600.0
"""Opened anew for that reason: a black bar below the picture stays as it is, too."""
LOWEST = 8
"""Rows; by fewer no encoder changes a picture's height."""

OPTIONS: dict[Transport, str] = {
    "auto": "rtsp_flags;prefer_tcp",
    "tcp": "rtsp_transport;tcp",
    "udp": "",
}
"""FFmpeg's, for its RTSP reader: many networks let no UDP through.

OpenCV 4.11 asks for TCP whatever stands there; with nothing FFmpeg begins with UDP, and goes on to
TCP where that brings nothing.
"""


class Stream(OpenCvCamera):
    """The newest frames of an RTSP stream; its address is shown without user and password.

    A stream may change its resolution. OpenCV goes on with the size that it began with: of taller
    pictures it shows nothing new, of lower ones the upper rows alone, and says that all is well. So
    where the lowest rows stay as they are, the stream is opened anew.
    """

    def __init__(self, url: str, transport: Transport) -> None:
        address = split(url)
        self._url = url if address is None else address.encode()
        self._public_url = mask_source(url)
        self._transport = transport
        self._lowest = (0, 0.0)
        self._last_renewal = float("-inf")

    def open(self) -> None:
        self.close()
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            TIMEOUT_MS,
        ]
        # The only way to FFmpeg's options; read at each opening, and there is one camera a process.
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = OPTIONS[self._transport]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise self._fault()
        self._capture = capture
        self._lowest = (0, time.monotonic())

    def _fault(self) -> CameraFault:
        """Why there is no stream, as far as a connection of our own shows; FFmpeg does not say."""
        what, remedy = "no stream", "check the path in the address, user and password"
        try:
            parts = urlsplit(self._url)
            usual = 322 if parts.scheme.lower() == "rtsps" else 554
            if not parts.hostname:
                raise ValueError("no host")
            socket.create_connection((parts.hostname, parts.port or usual), KNOCK_S).close()
        except ValueError:
            what, remedy = "not an address", "write it as in rtsp://user:password@10.0.0.4:554/live"
        except socket.gaierror:
            what, remedy = "its name is not known here", "check the name, and this machine's DNS"
        except ConnectionRefusedError:
            what = "nothing accepts connections there"
            remedy = f"check the port ({usual} is usual), and that the camera sends RTSP"
        except TimeoutError:
            what, remedy = "no answer", "check the address, the network, and firewalls on the way"
        except OSError:
            what, remedy = "it cannot be reached from this network", "check the network"
        return CameraFault(what, self._public_url, remedy)

    def read(self) -> Grey:
        frame = self._next()
        if self._is_stale(frame):
            self._last_renewal = time.monotonic()
            frame.fill(0)
            log.info("%s: the lowest rows stay the same; opened anew", self._public_url)
            self.open()
            frame = self._next()
        return frame

    def _next(self) -> Grey:
        return grey(
            self._raw("the stream ended", self._public_url, "check the camera and its network")
        )

    def _is_stale(self, frame: Grey) -> bool:
        checksum, now = zlib.crc32(frame[-LOWEST:].tobytes()), time.monotonic()
        if checksum != self._lowest[0]:
            self._lowest = (checksum, now)
        return now - self._lowest[1] > STALE_S and now - self._last_renewal > AT_MOST_EVERY_S


def camera(url: str, transport: Transport = "auto") -> Stream:
    return Stream(url, transport)
