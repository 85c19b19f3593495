"""Wires the agent: camera, faces, emotion, tally, disclosure, mood, outbox, publish.

The only file that knows every stage. It runs until told to stop; detection happens here, in the
main thread, on the newest frame.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import date, datetime, timezone
from importlib.metadata import version
from uuid import uuid4

from edge.camera import is_live, make
from edge.capture import FROZEN_S, Capture
from edge.clock import trust
from edge.config import AgentSettings
from edge.disclosure import Disclosed, headcount, withhold
from edge.emotion import Expressions
from edge.errors import CameraFault
from edge.faces import HaarDetector
from edge.kiosk.view import View
from edge.mood import UNCERTAIN, Command, Health, Mood, Pause
from edge.outbox import Outbox
from edge.pack import open_pack
from edge.parts import control, kiosk, panel
from edge.permission.gate import Gate
from edge.permission.mode import Mode, decide, responsible
from edge.permission.schedule import Schedule
from edge.permission.switch import Switch
from edge.publish import Publisher
from edge.tally import Tally

log = logging.getLogger(__name__)


FACE = "face"
"""What every face counts as where no expression is read."""

DRIVER_HANGS_S = 60.0
"""Longer than any camera takes to open or to give a frame."""

NO_MODEL = "0" * 12
"""In place of the model's digest where none is loaded."""


class Agent:
    """Made from settings, raising Refusal for what they name and is not there; then `run`."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._switch = Switch(settings.state / "switch.json")
        self._gate = Gate(self._switch, Schedule(settings.schedule) if settings.schedule else None)
        self._panel = panel(settings.gpio, lambda: self._switch.toggle("button"))
        frozen_s = FROZEN_S if is_live(settings.camera) else None
        self._capture = Capture(make(settings.camera), self._panel.show, frozen_s)
        self._set_mode(decide(settings, date.today()))
        found = settings.faces
        self._detector = HaarDetector(found.scale_factor, found.min_neighbors, found.min_size)
        self._boot = uuid4()
        self._seq = 0
        self._newest: Mood | None = None
        self._pause: Pause | None = None
        self._started = time.monotonic()
        self._frames_per_s, self._ms_per_frame = 0.0, 0.0
        self._stopping = threading.Event()
        self._outbox = Outbox(settings.state / "outbox.sqlite")
        self._publisher = Publisher(
            settings.broker,
            self._outbox,
            site=settings.site,
            room=settings.room,
            device=settings.device,
            boot=self._boot,
            health=self._health,
            on_command=self._switch.obey,
        )
        self._kiosk = kiosk(settings, self._view, self._pressed)

    def _set_mode(self, mode: Mode) -> None:
        """Loads the model, or lets go of it: without it no expression can be read."""
        self._mode = mode
        self._responsible = responsible(self._settings)
        self._expressions: Expressions | None = None
        self._digest = NO_MODEL
        self._labels: tuple[str, ...] = (FACE,)
        if mode.name == "headcount":
            log.warning("faces are counted, no expression is read: %s", mode.sentence)
            return
        log.info("expressions are read: %s", mode.sentence)
        pack, model = open_pack(self._settings.model)
        self._digest, self._labels = pack.digest, (*pack.labels, UNCERTAIN)
        self._expressions = Expressions.from_pack(pack, model)
        self._control = control(self._settings, self._labels)

    def stop(self) -> None:
        """Ends `run` after the frame at hand; safe to call from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Publishes a mood for every window until `stop`; the last one may be shorter."""
        self._publisher.start()
        if self._kiosk:
            self._kiosk.start()
        try:
            while not self._stopping.is_set():
                self._window()
        finally:
            self._capture.stop(timeout=1)
            self._publisher.stop(timeout=1)
            if self._kiosk:
                self._kiosk.stop()
            self._panel.close()
            self._outbox.close()

    def _window(self) -> None:
        # An attestation may have begun, ended or been replaced since the last window.
        mode = decide(self._settings, date.today())
        if mode != self._mode:
            self._set_mode(mode)
        begun = time.monotonic()
        start, clock = datetime.now(timezone.utc), trust()
        end = begun + self._settings.window_seconds
        period = 1 / self._settings.frames_per_second
        tally = Tally(self._labels)
        pause = self._gate.closed_by()
        self._look(pause)
        busy = 0.0
        while (now := time.monotonic()) < end and not self._stopping.is_set():
            if self._gate.closed_by() != pause:
                break
            frame = None if pause else self._capture.take(min(0.1, end - now))
            if frame is None:
                if self._capture.hanging() > DRIVER_HANGS_S:
                    raise CameraFault("camera: its driver does not return: starting anew")
                self._stopping.wait(min(0.1, end - now) if pause else 0)
                continue
            taken = time.monotonic()
            boxes = self._detector.find(frame)
            reader = self._expressions
            tally.add(reader.read(frame, boxes) if reader else [FACE] * len(boxes))
            frame.fill(0)  # its counts are all that is left of it
            busy += time.monotonic() - taken
            self._stopping.wait(max(0.0, min(now + period, end) - time.monotonic()))
        seconds = time.monotonic() - begun
        self._frames_per_s = tally.frames / seconds
        self._ms_per_frame = 1000 * busy / tally.frames if tally.frames else 0.0
        if tally.frames or not self._stopping.is_set():
            self._keep(self._say(tally, pause), tally.frames, start, seconds, clock)

    def _look(self, pause: Pause | None) -> None:
        """Opens or closes the camera, and tells everyone."""
        before, self._pause = self._pause, pause
        if pause is None and not self._capture.running:
            self._capture.start()
            self._publisher.say("online")
        elif pause is not None and (self._capture.running or pause != before):
            self._capture.stop()
            self._publisher.say("paused")
            log.info("paused (%s): the camera is closed", pause)

    def _say(self, tally: Tally, pause: Pause | None) -> Disclosed:
        if pause:
            return withhold("paused")
        if not tally.frames:
            return withhold("no_camera")
        if self._expressions is None:
            return headcount(tally.typical()[FACE], self._settings.disclosure.min_faces)
        return self._control.tell(tally)

    def _keep(
        self, seen: Disclosed, frames: int, start: datetime, seconds: float, clock: str
    ) -> None:
        mood = Mood.model_validate(
            {
                "schema": "roommood.mood/1",
                "site": self._settings.site,
                "room": self._settings.room,
                "device": self._settings.device,
                "boot": self._boot,
                "seq": self._seq,
                "start": start,
                "seconds": round(seconds, 3),
                "clock": clock,
                "frames": frames,
                "model": self._digest,
                **seen._asdict(),
            }
        )
        self._seq += 1
        self._outbox.add(mood)
        self._newest = mood
        self._publisher.wake()
        log.debug("window %d: %s", mood.seq, seen.withheld or "counted")

    def _health(self) -> Health:
        return Health(
            version=version("roommood"),
            uptime_s=int(time.monotonic() - self._started),
            frames_per_s=round(self._frames_per_s, 2),
            ms_per_frame=round(self._ms_per_frame, 1) or None,
            waiting=len(self._outbox),
            merged=self._outbox.merged,
            mode=self._mode.name,
            because=self._mode.because,
            pause=self._pause,
        )

    def _view(self) -> View:
        return View(
            open=self._capture.is_open,
            pause=self._pause,
            mode=self._mode.name,
            mood=self._newest,
            responsible=self._responsible,
        )

    def _pressed(self, command: Command) -> None:
        self._switch.obey(command, by="kiosk")
