"""Keeps the newest frame of a camera: a slot of one, never a queue.

The thread reopens a camera that fails, waiting longer each time; detection takes the newest frame
whenever it is ready, and a frame that nobody took is overwritten. A camera that gives the same
frame for ever has failed too. A driver that does not return cannot be helped from within this
process: `hanging` tells, so that the process may be replaced.
"""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections.abc import Callable

import cv2

from edge.camera.base import Camera, Grey
from edge.common.errors import CameraFault
from edge.common.worker import Worker

LONGEST_WAIT_S = 10.0
LONGEST_HANG_S = 10.0

SMALLEST = 24
"""Side of the smallest frame, pixels, in which a face could be found."""

SPARSE = 8
"""Every so many pixels, in both directions, are compared from frame to frame."""


class Capture:
    """Runs a camera in a thread between `start` and `stop`; the camera is open only then.

    `indicate` is told True before the camera is opened and False after it is closed. `frozen_s`,
    for real cameras only, is how long a picture may stay the same: no sensor gives one twice.
    """

    def __init__(
        self,
        camera: Camera,
        indicate: Callable[[bool], None] = lambda _: None,
        frozen_s: float | None = None,
    ) -> None:
        self._camera = camera
        self._indicate = indicate
        self._frozen_s = frozen_s
        self._last_change = (0, 0.0)
        self._call_start: float | None = None
        self._last_frame = time.monotonic()
        self.is_open = False
        self._slot: Grey | None = None
        self._failure: BaseException | None = None
        self._news = threading.Condition()
        self._reader: _Reader | None = None
        self.running = False

    def start(self) -> None:
        """Opens the camera, unless a driver that does not return has it still: see `hanging`."""
        if self.running:
            return
        if self._reader is not None and not self._reader.join(LONGEST_HANG_S):
            return  # two threads must not share a camera
        self.running = True
        self._last_frame = time.monotonic()
        self._reader = _Reader(self)
        self._reader.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Closes the camera; a driver that does not return in time closes it when it does."""
        self.running = False
        if self._reader is not None:
            self._reader.end()
            self._reader.join(timeout)
        with self._news:
            if self._slot is not None:
                self._slot.fill(0)
            self._slot = None

    def take(self, timeout: float) -> Grey | None:
        """The newest frame not yet taken, or None after `timeout` seconds.

        Raises what ended the thread: UserError for a lasting fault, anything else for a defect.
        """
        with self._news:
            if self._slot is None and self._failure is None:
                self._news.wait(timeout)
            if self._failure is not None:
                raise self._failure
            frame, self._slot = self._slot, None
            return frame

    def hanging(self) -> float:
        """Seconds for which the driver has not returned; 0 while it does."""
        call_start = self._call_start
        return 0.0 if call_start is None else time.monotonic() - call_start

    def blind(self) -> float:
        """Seconds without a frame; 0 while the camera is meant to be closed."""
        return time.monotonic() - self._last_frame if self.running else 0.0

    def _open(self) -> None:
        self._indicate_state(True)
        self._call_start = time.monotonic()
        self._camera.open()
        self._last_change = (0, time.monotonic())

    def _read(self) -> Grey:
        self._call_start = time.monotonic()
        try:
            frame = self._camera.read()
        except cv2.error as error:
            raise CameraFault(
                f"a frame cannot be decoded ({error.err})", "camera", "check its cable"
            ) from None
        if frame.ndim != 2 or min(frame.shape) < SMALLEST:
            size = "x".join(map(str, frame.shape[::-1]))
            raise CameraFault(f"a frame of {size} pixels", "camera", "check its cable")
        self._call_start = None
        if self._frozen_s is not None:
            checksum, now = zlib.crc32(frame[::SPARSE, ::SPARSE].tobytes()), time.monotonic()
            if checksum != self._last_change[0]:
                self._last_change = (checksum, now)
            elif now - self._last_change[1] > self._frozen_s:
                raise CameraFault(
                    f"the same picture for {self._frozen_s:g} s",
                    "camera",
                    "check its cable and power",
                )
        return frame

    def _shut(self) -> None:
        self._call_start = time.monotonic()
        self._camera.close()
        self._call_start = None
        self._indicate_state(False)

    def _indicate_state(self, is_open: bool) -> None:
        if is_open != self.is_open:
            self.is_open = is_open
            self._indicate(is_open)

    def _keep(self, frame: Grey, is_current: bool) -> None:
        """The newest frame takes the place of one that nobody will look at any more."""
        with self._news:
            if not is_current:  # it came after `stop`
                frame.fill(0)
                return
            if self._slot is not None:
                self._slot.fill(0)
            self._slot = frame
            self._news.notify()

    def _fail(self, failure: BaseException) -> None:
        with self._news:
            self._failure = failure
            self._news.notify()


class _Reader(Worker):
    """Has the camera from one `start` to the next `stop`; how long it takes is `hanging`."""

    def __init__(self, capture: Capture) -> None:
        super().__init__("camera", patience_s=math.inf, longest_wait_s=LONGEST_WAIT_S)
        self._capture = capture

    def end(self) -> None:
        """Asks it to, without waiting."""
        self._stopping.set()
        self.wake()

    def join(self, timeout: float) -> bool:
        """Whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.is_alive

    def run_once(self) -> None:
        """Opens the camera and reads until it fails, which is tried again, or until the end."""
        capture = self._capture
        try:
            try:
                capture._open()
                while not self._stopping.is_set():
                    frame = capture._read()
                    self.beat()
                    capture._last_frame = time.monotonic()
                    capture._keep(frame, not self._stopping.is_set())
            finally:
                capture._shut()
        except CameraFault:
            raise
        except Exception as failure:  # no new try helps: handed to whoever takes frames
            self._stopping.set()
            capture._fail(failure)
