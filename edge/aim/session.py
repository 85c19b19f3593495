"""The setup view: what the camera sees, for whoever mounts it, and for nobody else.

On loopback only, behind the local PIN, for ten minutes at most. A picture exists in memory while
somebody looks at the page; nothing is published and nothing is written but a line in the audit log.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.aim.sizes import SizeReport, Sizes
from edge.camera.base import Grey
from edge.camera.capture import Capture
from edge.kiosk.view import templates
from edge.permission.audit import DeviceAuditLog
from edge.permission.pin import Pin
from edge.run.local_pages import REFUSAL, Answer, LocalPages, PageRequest, Routes
from edge.vision.faces import Box
from edge.vision.layout import Layout

HERE = Path(__file__).parent
LONGEST_S = 600.0
WATCHED_S = 5.0
"""How long after the last request a page still counts as being looked at."""


Read = Callable[[Grey, Sequence[Box]], Sequence[str | None]]
"""A label for each box, None for one that holds no face."""


class Aim:
    """Runs until `stop`, or for `seconds`. `read`: only where expressions may be read."""

    def __init__(
        self,
        capture: Capture,
        find: Callable[[Grey], list[Box]],
        layout: Layout,
        *,
        pin: Pin,
        port: int,
        audit: DeviceAuditLog,
        readable: float | None,
        read: Read | None = None,
        seconds: float = LONGEST_S,
    ) -> None:
        self._capture, self._find, self._layout = capture, find, layout
        self._pin, self._audit = pin, audit
        self._seconds = min(seconds, LONGEST_S)
        self._readable, self._read = readable, read
        self._sizes = Sizes(readable)
        self._sessions: set[str] = set()
        self._jpeg = b""
        self._last_view = 0.0
        self._stopping = threading.Event()
        self._ends = 0.0
        self._templates = templates(HERE)
        self._pages = LocalPages("aim", port, self._routes(), HERE, "--port")
        self.url = self._pages.url

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> SizeReport | None:
        """Returns what the faces' sizes were; raises UserError for a camera or a log that fails."""
        start = time.monotonic()
        self._ends = start + self._seconds
        self._audit.note("aim_begins")
        self._capture.start()
        self._pages.start()
        try:
            while time.monotonic() < self._ends and not self._stopping.is_set():
                frame = self._capture.take(0.2)
                if frame is not None:
                    self._see(frame)
        finally:
            self._capture.stop(timeout=2)
            self._pages.stop()
            self._jpeg = b""
            self._audit.note("aim_ends", seconds=round(time.monotonic() - start, 1))
        return self._sizes.report()

    def _see(self, frame: Grey) -> None:
        self._layout.blank(frame)
        boxes = self._find(frame)
        self._layout.learn(boxes, frame.shape[0])
        self._sizes.add([box.width for box in boxes])
        has_viewer = time.monotonic() - self._last_view < WATCHED_S
        labels = self._read(frame, boxes) if self._read and has_viewer else []
        self._jpeg = picture(frame, boxes, self._readable, labels) if has_viewer else b""
        frame.fill(0)

    def _routes(self) -> Routes:
        return {
            "GET /": self._behind_pin(lambda _: self._page("aim.html"), self._page("locked.html")),
            "GET /report": self._behind_pin(lambda _: self._page("report.html")),
            "GET /picture.jpg": self._behind_pin(self._picture),
            "POST /unlock": self._unlock,
            "POST /stop": self._behind_pin(self._end),
        }

    def _behind_pin(
        self, route: Callable[[PageRequest], Answer], otherwise: Answer = REFUSAL
    ) -> Callable[[PageRequest], Answer]:
        def guard(request: PageRequest) -> Answer:
            if not any(hmac.compare_digest(request.session, session) for session in self._sessions):
                return otherwise
            self._last_view = time.monotonic()
            return route(request)

        return guard

    def _picture(self, _: PageRequest) -> Answer:
        return Answer(self._jpeg, "image/jpeg", 200 if self._jpeg else 503)

    def _end(self, _: PageRequest) -> Answer:
        self.stop()
        return self._page("ended.html")

    def _unlock(self, request: PageRequest) -> Answer:
        if not self._pin.opens(request.form.get("pin", "")):
            self._audit.note("aim_wrong_pin")
            lock_message = "Too many wrong tries: wait a minute." if self._pin.is_locked else None
            return self._page("locked.html", 403, wrong=lock_message or "Wrong PIN.")
        self._audit.note("aim_unlocked")
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        return Answer(go_to="/", session=session)

    def _page(self, template: str, status: int = 200, **more: Any) -> Answer:
        left = max(0.0, self._ends - time.monotonic())
        text = self._templates.get_template(template).render(
            report=self._sizes.report(), readable=self._readable, left=left, **more
        )
        return Answer(text.encode(), status=status)


def picture(
    frame: Grey, boxes: Sequence[Box], readable: float | None, labels: Sequence[str | None] = ()
) -> bytes:
    """The frame as JPEG, each face in a box with its width in pixels; a thin one if too small.

    Beside the width stands what the face is read as, where there are `labels`.
    """
    canvas = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
    for box, text in zip(boxes, captions(boxes, labels), strict=True):
        large = readable is None or box.width >= readable
        colour = (80, 220, 120) if large else (60, 120, 255)
        corner = (box.x + box.width, box.y + box.height)
        cv2.rectangle(canvas, (box.x, box.y), corner, colour, 3 if large else 1)
        place = (box.x, max(14, box.y - 6))
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2)
    _, jpeg = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 80])
    np.asarray(canvas).fill(0)
    return jpeg.tobytes()


def captions(boxes: Sequence[Box], labels: Sequence[str | None]) -> list[str]:
    """Each face's width, and its label where faces are read."""
    if not labels:
        return [str(box.width) for box in boxes]
    pairs = zip(boxes, labels, strict=True)
    return [f"{box.width} {label or 'no face'}" for box, label in pairs]
