"""Keeps the newest frame of a camera: a slot of one, never a queue.

The thread reopens a camera that fails, waiting longer each time; detection takes the newest frame
whenever it is ready, and a frame that nobody took is overwritten.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edge.camera.base import Camera, Grey
from edge.errors import CameraFault

log = logging.getLogger(__name__)

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
LONGEST_HANG_S = 10.0


class Capture:
    """Runs a camera in a thread between `start` and `stop`; the camera is open only then.

    `indicate` is told True before the camera is opened and False after it is closed.
    """

    def __init__(self, camera: Camera, indicate: Callable[[bool], None] = lambda _: None) -> None:
        self._camera = camera
        self._indicate = indicate
        self.is_open = False
        self._slot: Grey | None = None
        self._failure: BaseException | None = None
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.running = False

    def start(self) -> None:
        if self.running:
            return
        if self._thread is not None:
            self._thread.join(LONGEST_HANG_S)  # two threads must not share a camera
        self.running = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stopping,), name="capture", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Closes the camera; a driver that does not return in time closes it when it does."""
        self.running = False
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)
        with self._news:
            if self._slot is not None:
                self._slot.fill(0)
            self._slot = None

    def take(self, timeout: float) -> Grey | None:
        """The newest frame not yet taken, or None after `timeout` seconds.

        Raises what ended the thread: Refusal for a lasting fault, anything else for a defect.
        """
        with self._news:
            if self._slot is None and self._failure is None:
                self._news.wait(timeout)
            if self._failure is not None:
                raise self._failure
            frame, self._slot = self._slot, None
            return frame

    def _run(self, stopping: threading.Event) -> None:
        wait = FIRST_WAIT_S
        working = True
        try:
            while not stopping.is_set():
                try:
                    self._tell(True)
                    self._camera.open()
                    while not stopping.is_set():
                        frame = self._camera.read()
                        if not working:
                            log.info("camera: back")
                        working, wait = True, FIRST_WAIT_S
                        with self._news:
                            if self._slot is not None:
                                self._slot.fill(0)  # nobody will look at it any more
                            self._slot = frame
                            self._news.notify()
                except CameraFault as fault:
                    if working:
                        log.warning("%s; trying again until it answers", fault)
                    working = False
                    self._camera.close()
                    self._tell(False)
                    stopping.wait(wait)
                    wait = min(wait * 2, LONGEST_WAIT_S)
        except Exception as failure:  # a thread must not die unseen: handed to whoever takes frames
            with self._news:
                self._failure = failure
                self._news.notify()
        finally:
            self._camera.close()
            self._tell(False)

    def _tell(self, is_open: bool) -> None:
        if is_open != self.is_open:
            self.is_open = is_open
            self._indicate(is_open)
