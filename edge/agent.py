"""Wires the agent: camera, faces, emotion, tally, disclosure, mood, outbox, publish.

The only file that knows every stage. It runs until told to stop; detection happens here, in the
main thread, on the newest frame.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from typing import NamedTuple
from uuid import uuid4

import cv2

from edge.camera import is_still, make
from edge.camera.base import Camera
from edge.camera.capture import Capture
from edge.camera.recording import Recording
from edge.common.calendar_sources import COPIES, CalendarFetcher
from edge.common.clock import Timestamp, WallClock
from edge.common.errors import Stall
from edge.common.worker import Worker, Workers
from edge.config import AgentSettings
from edge.device.trial import UpdateTrial
from edge.factories import control, fittings, kiosk, panel
from edge.kiosk.view import KioskView
from edge.outbox.store import Outbox
from edge.permission.gate import Gate
from edge.permission.mode import Mode, decide, responsible
from edge.permission.schedule import Schedule
from edge.permission.switch import SWITCH, Switch, note
from edge.protocol.counts import Disclosure, headcount, withhold
from edge.protocol.discretion import discreet
from edge.protocol.messages import UNCERTAIN, Command, Health, Mood, Pause
from edge.run.health import endpoint
from edge.run.supervision import Deadline, Progress, Supervisor, age_s, resident_mb
from edge.run.thermal import FramePace, temperature, throttle_reasons
from edge.transport.publisher import Publisher
from edge.vision.detectors import choose
from edge.vision.emotion import Expressions
from edge.vision.forms import open_fast
from edge.vision.pipeline import FACE, VisionPipeline, layout, room
from edge.window.tally import Tally

log = logging.getLogger(__name__)


OUTBOX = "outbox.sqlite"
"""In the state folder."""

NICE = 5
"""Below what serves a person: the kiosk's browser, or somebody who logs in."""

LEAST_PART = 0.5
"""Of a window's length: one that was cut shorter, as by a pause, says no expressions. Otherwise
whoever pauses and resumes would choose the moments of which they are told."""

NO_MODEL = "0" * 12
"""In place of the model's digest where none is loaded."""


class Window(NamedTuple):
    """The newest, and how it was read."""

    mood: Mood
    frames_per_s: float
    ms_per_frame: float | None


class Agent:
    """Made from settings, raising UserError for what they name and is not there; then `run`.

    A camera and an outbox of one's own take the place of those that the settings name.
    """

    def __init__(
        self,
        settings: AgentSettings,
        camera: Camera | None = None,
        outbox: Outbox | None = None,
        trial: UpdateTrial | None = None,
    ) -> None:
        self._settings = settings
        self._trial = trial or UpdateTrial(None, None)
        self._switch = Switch(settings.state / SWITCH, note=note())
        self._schedule = self._lesson_times()
        self._gate = Gate(self._switch, self._schedule)
        self._panel = panel(settings.gpio, lambda: self._switch.toggle("button"))
        self._recording = Recording(settings.camera)
        frozen_s = settings.supervision.frozen_s if camera or self._recording.live() else None
        self._capture = Capture(
            camera or make(settings.camera, settings.transport), self._panel.show, frozen_s
        )
        self._layout = layout(settings.faces)
        self._detector = choose(settings.faces)
        if self._detector.problem:
            log.warning("Haar finds the faces: %s", self._detector.problem)
        self._set_mode(decide(settings, date.today(), self._recording.live()))
        self._boot = uuid4()
        self._seq = 0
        self._newest: Window | None = None
        self._pause: Pause | None = None
        self._start = time.monotonic()
        self._stopping = threading.Event()
        self._failure, self._restart, self._has_analysed = "", "", False
        self._pace = FramePace(settings.frames_per_second)
        self._inference = Progress()
        self._clock = WallClock(settings.state / OUTBOX, settings.state / f"{OUTBOX}-wal")
        self._outbox = Outbox(settings.state / OUTBOX) if outbox is None else outbox
        self._publisher = Publisher(
            settings.broker,
            self._outbox,
            site=settings.site,
            room=settings.room,
            device=settings.device,
            boot=self._boot,
            health=self._health,
            on_command=self._switch.obey,
            clock=self._clock,
        )
        self._workers = Workers(self._every_worker())
        self._supervisor = self._supervise()

    def _lesson_times(self) -> Schedule | None:
        settings = self._settings
        return (
            Schedule(settings.schedule, settings.place, settings.state / COPIES)
            if settings.schedule
            else None
        )

    def _every_worker(self) -> Iterator[Worker]:
        """In the order of their start; none uses one that stands after it."""
        yield self._publisher
        if self._schedule is not None and self._schedule.web_sources:
            yield CalendarFetcher(self._schedule.web_sources)
        if screen := kiosk(self._settings, self._view, self._on_button):
            yield screen.pages
        if self._settings.health:
            yield endpoint(self._settings.health.port, self._health, self._problems)

    def _problems(self) -> dict[str, str]:
        """What does not do its work now, and why."""
        unwritten = self._switch.unwritten
        return self._workers.problems() | ({"switch": unwritten} if unwritten else {})

    def _supervise(self) -> Supervisor:
        limits = self._settings.supervision
        deadlines = (
            Deadline("camera's driver", self._capture.hanging, limits.driver_s),
            Deadline("camera", self._capture.blind, limits.camera_s),
            Deadline("inference", self._inference.still, limits.inference_s),
            Deadline("publishing", self._publisher.still, limits.publishing_s),
        )
        return Supervisor(self._workers, deadlines, limits.memory_mb, self._sentence, self._give_up)

    def _set_mode(self, mode: Mode) -> None:
        """Loads the model, or lets go of it: without it no expression can be read."""
        self._mode = mode
        kiosk = self._settings.kiosk
        self._responsible = (kiosk and kiosk.responsible) or responsible(self._settings.attestation)
        self._digest = NO_MODEL
        self._room = self._new_room(None)
        self._labels: tuple[str, ...] = (FACE,)
        self._usual: tuple[float, ...] = (1.0,)
        if mode.name == "headcount":
            log.warning("counting faces only: %s", mode.sentence)
            return
        log.info("reading expressions: %s", mode.sentence)
        pack, model = open_fast(self._settings.model)
        self._digest, self._labels = pack.digest, pack.labels
        self._usual = pack.point().usual
        self._room = self._new_room(Expressions.from_pack(pack, model))
        self._control = control(self._settings, (*self._labels, UNCERTAIN))

    def _new_room(self, expressions: Expressions | None) -> VisionPipeline:
        still = is_still(self._settings.camera)
        return room(self._settings.faces, expressions, self._layout, patient=still)

    def stop(self) -> None:
        """Ends `run` after the frame at hand; safe to call from a signal handler."""
        self._stopping.set()

    def _give_up(self, why: str) -> None:
        self._trial.fail(why)
        self._failure = why
        self._stopping.set()

    def run(self) -> str:
        """Publishes a mood for every window until `stop`; the last one may be shorter.

        Returns why the agent is to be started anew, if that is planned, as for an update; raises
        Stall for what only a new process can mend.
        """
        with contextlib.suppress(PermissionError):  # systemd has seen to it: see the unit
            os.nice(NICE)
        cv2.setNumThreads(self._settings.faces.threads)
        try:
            self._workers.start()
            self._inference.beat()
            self._supervisor.start()
            while not self._stopping.is_set():
                self._window()
        finally:
            if not self._failure:
                self._supervisor.stop()  # a part that has been stopped is not one that stands still
            self._capture.stop(timeout=1)
            self._workers.stop()
            self._panel.close()
            self._outbox.close()
            self._supervisor.stop()
        if self._failure:
            raise Stall(self._failure)
        self._trial.end()
        return self._restart

    def _window(self) -> None:
        # An attestation may have begun, ended or been replaced since the last window.
        mode = decide(self._settings, date.today(), self._recording.live())
        if mode != self._mode:
            self._set_mode(mode)
        start_s = time.monotonic()
        start = self._clock.now()
        end = start_s + self._settings.window_seconds
        period = self._pace.period_s()
        tally = Tally(self._labels, self._usual)
        pause = self._gate.closed_by()
        self._look(pause)
        busy = 0.0
        while (now := time.monotonic()) < end and not self._stopping.is_set():
            self._inference.beat()
            if self._gate.closed_by() != pause:
                break
            if tally.frames and end - now < period / 2:
                # A last frame would end later the more faces it has, and so would the window.
                self._stopping.wait(end - now)
                continue
            frame = None if pause else self._capture.take(min(0.1, end - now))
            if frame is None:
                self._stopping.wait(min(0.1, end - now) if pause else 0)
                continue
            if self._mode.because == "exempt_source" and (why := self._recording.live()):
                log.warning("%s: %s: what was read of it is dropped", self._settings.camera, why)
                frame.fill(0)
                self._room.forget()
                return
            analysis_start = time.monotonic()
            tally.add(self._room.look(frame))
            if not self._has_analysed:
                self._has_analysed = True
                log.info("the first frame was analysed %.2f s after the start", age_s())
            frame.fill(0)  # its counts are all that is left of it
            busy += time.monotonic() - analysis_start
            self._stopping.wait(max(0.0, min(now + period, end) - time.monotonic()))
        self._room.forget()
        seconds = time.monotonic() - start_s
        if tally.frames or not self._stopping.is_set():
            self._keep(self._say(tally, pause, seconds), tally.frames, start, seconds, busy)
        tally.clear()  # what was known of single faces is gone
        again = self._trial.saw_window(tally.frames, pause is not None) if now >= end else None
        if again:
            log.info("%s: restarting", again)
            self._restart = again
            self._stopping.set()

    def _look(self, pause: Pause | None) -> None:
        """Opens or closes the camera, and tells everyone."""
        before, self._pause = self._pause, pause
        if pause is None and not self._capture.running:
            self._capture.start()
            self._publisher.say("online")
        elif pause is not None and (self._capture.running or pause != before):
            self._capture.stop()
            self._room.wipe()
            self._publisher.say("paused")
            log.info("paused (%s): the camera is closed", pause)

    def _say(self, tally: Tally, pause: Pause | None, seconds: float) -> Disclosure:
        if pause:
            return withhold("paused")
        if not tally.frames:
            return withhold("no_camera")
        if self._mode.name == "headcount":
            return headcount(tally.typical()[FACE], self._settings.disclosure.min_faces)
        limits = self._settings.disclosure
        if limits.noise is None and seconds < LEAST_PART * self._settings.window_seconds:
            return headcount(tally.faces, limits.min_faces)
        return self._control.decide(tally)

    def _keep(
        self, disclosure: Disclosure, frames: int, start: Timestamp, seconds: float, busy: float
    ) -> None:
        exact = frames / seconds
        if frames and disclosure.faces is None:  # fewer are read of more faces
            frames = max(1, round(seconds * self._settings.frames_per_second))
        mood = Mood.model_validate(
            {
                "schema": "roommood.mood/1",
                "site": self._settings.site,
                "room": self._settings.room,
                "device": self._settings.device,
                "boot": self._boot,
                "seq": self._seq,
                "start": start.at,
                "seconds": round(seconds, 3),
                "clock": start.clock,
                "frames": frames,
                "model": self._digest,
                **disclosure._asdict(),
            }
        )
        self._seq += 1
        self._outbox.add(mood)
        self._newest = Window(mood, exact, 1000 * busy / (exact * seconds) if exact else None)
        self._publisher.wake()
        log.debug("window %d: %s", mood.seq, disclosure.withheld or "counted")

    def _health(self) -> Health:
        mode, newest = self._mode, self._newest  # once: the agent's loop may put others there
        health = Health(
            version=version("roommood"),
            uptime_s=int(time.monotonic() - self._start),
            frames_per_s=round(newest.frames_per_s, 2) if newest else 0.0,
            ms_per_frame=round(newest.ms_per_frame, 1) if newest and newest.ms_per_frame else None,
            waiting=len(self._outbox),
            merged=self._outbox.merge_count,
            mode=mode.name,
            because=mode.because,
            pause=self._pause,
            faces=newest.mood.faces if newest else None,
            model=self._digest,
            last_ack_s=self._publisher.last_ack_s(),
            dropped=self._outbox.drop_count,
            disk="failing" if self._outbox.trouble or self._switch.unwritten else "ok",
            temperature_c=temperature(),
            throttled=throttle_reasons(),
            memory_mb=round(resident_mb(), 1),
            detector=self._detector.name,
            fitted=fittings(self._settings),
        )
        return discreet(health, self._settings.frames_per_second)

    def _sentence(self) -> str:
        """For `systemctl status`."""
        rate = self._newest.frames_per_s if self._newest else 0.0
        if self._newest and rate and self._newest.mood.faces is None:
            rate = self._settings.frames_per_second  # how many exactly depends on the faces
        doing = f"paused ({self._pause})" if self._pause else f"{rate:.1f} frames/s"
        return f"{self._mode.name}: {doing}, {len(self._outbox)} windows waiting"

    def _view(self) -> KioskView:
        return KioskView(
            open=self._capture.is_open,
            pause=self._pause,
            mode=self._mode.name,
            mood=self._newest.mood if self._newest else None,
            responsible=self._responsible,
        )

    def _on_button(self, command: Command) -> None:
        self._switch.obey(command, by="kiosk")
