"""`roommood agent doctor`: looks at everything an agent needs, and names the remedy for each fault.

Unlike `agent check` it does not stop at the first one.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import date, datetime, timezone
from typing import Literal, NamedTuple

from edge.camera import make
from edge.camera.recording import Recording
from edge.common.clock import BUILT, trust
from edge.common.errors import Problem
from edge.common.published import COPIES
from edge.common.reach import place, try_connection
from edge.config import AgentSettings
from edge.permission.mode import decide
from edge.permission.schedule import Schedule
from edge.run.memory import no_swap
from edge.run.state_lock import StateFolderBusy, alone

State = Literal["ok", "warning", "fault"]

LEAST_FREE = 100 * 2**20
"""Bytes on the disk that holds the outbox."""

CERTIFICATE_WARNS_DAYS = 20
BROKER_WAITS_S = 8.0


class Finding(NamedTuple):
    """One thing that was checked; `remedy` is empty where nothing is wrong.

    `where` is the file, key, device or address of a fault, which `seen` begins with.
    """

    what: str
    state: State
    seen: str
    remedy: str = ""
    where: str = ""


ENROL = "run `sudo roommood device enrol`, with a code from `roommood device invite`"


def examine(settings: AgentSettings, has_room: bool = True) -> Iterator[Finding]:
    """One finding for each check, in the order in which a fault would show.

    Before enrolment there is neither certificate nor broker to look at.
    """
    for check in (
        _python,
        _runtime,
        _opencv,
        _model,
        _state,
        _clock,
        _memory,
        _mode,
        _camera,
        _certificate,
        _broker,
        _calendars,
    ):
        name = check.__name__.removeprefix("_")
        if not has_room and check in (_certificate, _broker):
            yield _finding(name, "warning", Problem("this device is not enrolled yet", "", ENROL))
            continue
        try:
            yield check(settings)
        except Problem as problem:
            yield _finding(name, "fault", problem)
        except Exception as error:  # the next check may still say something
            detail = f"internal error: {type(error).__name__}: {error}"
            yield _fault(name, detail, "report it, with what ROOMMOOD_TRACEBACK=1 shows")


def _fault(what: str, detail: str, remedy: str, where: str = "") -> Finding:
    return Finding(what, "fault", f"{where}: {detail}" if where else detail, remedy, where)


def _finding(name: str, state: State, problem: Problem) -> Finding:
    """A problem as a finding; its remedy is the one that it was raised with."""
    detail = f"{problem.where}: {problem.what}" if problem.where else problem.what
    return Finding(name, state, detail, problem.remedy, problem.where)


def _python(_: AgentSettings) -> Finding:
    detail = f"Python {platform.python_version()} on {platform.machine()}"
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        return _fault("python", detail, "use Python 3.10 to 3.13")
    return Finding("python", "ok", detail)


def _runtime(_: AgentSettings) -> Finding:
    """The two sets of packages that cannot be mixed: see pyproject.toml."""
    import numpy

    from edge.vision.interpreter import runtime

    name, _class = runtime()
    detail = f"{name} with NumPy {numpy.__version__}"
    old = name == "tflite-runtime"
    if old != numpy.__version__.startswith("1."):
        requirement = "numpy<2" if old else "numpy>=2"
        return _fault("runtime", detail, f"pip install '{requirement}'")
    return Finding("runtime", "ok", detail)


def _opencv(settings: AgentSettings) -> Finding:
    import cv2

    from edge.vision.detectors import choose, search

    search(settings.faces, has_classifier=False)
    choice = choose(settings.faces)
    detail = f"OpenCV {cv2.__version__} with {choice.sentence}"
    if choice.problem:
        return Finding(
            "opencv", "warning", f"{detail}: {choice.problem.what}", choice.problem.remedy
        )
    return Finding("opencv", "ok", detail)


def _model(settings: AgentSettings) -> Finding:
    from edge.vision.forms import open_fast
    from edge.vision.interpreter import TfliteClassifier

    pack, model = open_fast(settings.model)
    TfliteClassifier(model, pack.input, len(pack.labels))
    return Finding("model", "ok", f"{pack.name} ({pack.digest})")


def _state(settings: AgentSettings) -> Finding:
    with contextlib.suppress(StateFolderBusy), alone(settings.state):
        pass
    free = shutil.disk_usage(settings.state).free
    detail, where = f"{free // 2**20} MB free", str(settings.state)
    if not os.access(settings.state, os.W_OK):
        return _fault("state", "cannot be written", f"let user {os.getuid()} write there", where)
    if free < LEAST_FREE:
        return _fault("state", detail, "free some space on that disk", where)
    return Finding("state", "ok", f"{where}: {detail}")


def _clock(_: AgentSettings) -> Finding:
    now, sync_state = datetime.now(timezone.utc), trust()
    detail = f"{now:%Y-%m-%d %H:%M} UTC, {sync_state}"
    if now < BUILT:
        return _fault("clock", detail, "set the clock: timedatectl set-ntp true")
    if sync_state != "synced":
        return Finding("clock", "warning", detail, "let it be set: timedatectl set-ntp true")
    return Finding("clock", "ok", detail)


def _memory(_: AgentSettings) -> Finding:
    swappable = no_swap()
    if swappable:
        return _finding("memory", "warning", swappable)
    return Finding("memory", "ok", "nothing of it reaches a swap disk")


def _mode(settings: AgentSettings) -> Finding:
    mode = decide(settings, date.today(), Recording(settings.camera).live())
    if mode.name == "headcount" and mode.because != "set":
        return Finding("mode", "warning", f"headcount: {mode.sentence}", mode.remedy)
    return Finding("mode", "ok", f"{mode.name}: {mode.sentence}")


def _camera(settings: AgentSettings) -> Finding:

    camera = make(settings.camera, settings.transport)
    try:
        with alone(settings.state):
            camera.open()
            height, width = camera.read().shape
    except StateFolderBusy:
        return Finding("camera", "ok", "in use by the agent that is running")
    finally:
        camera.close()
    return Finding("camera", "ok", f"{settings.camera.rpartition('@')[2]}: {width}x{height}")


def _certificate(settings: AgentSettings) -> Finding:
    from cryptography import x509

    path = settings.broker.certificate
    if path is None:
        return Finding("certificate", "ok", "none is set")
    where = str(path)
    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except OSError as error:
        return _fault("certificate", str(error.strerror), "copy it there, or enrol again", where)
    except ValueError:
        return _fault("certificate", "not a certificate", "copy it again, or enrol again", where)
    days = (ends - datetime.now(timezone.utc)).days
    detail = f"expires on {ends:%Y-%m-%d}"
    if days < 0:
        return _fault("certificate", detail, "renew it, and check the clock above", where)
    if days < CERTIFICATE_WARNS_DAYS:
        return _finding("certificate", "warning", Problem(detail, path, "renew it"))
    return Finding("certificate", "ok", f"{where}: {detail}")


def _broker(settings: AgentSettings) -> Finding:
    broker = settings.broker
    wrong = try_connection(broker, "doctor")
    if wrong is not None:
        return _finding("broker", "fault", wrong)
    return Finding("broker", "ok", place(broker))


def _calendars(settings: AgentSettings) -> Finding:
    """Those of the schedule, the ones at addresses fetched."""
    if settings.schedule is None:
        return Finding("calendars", "ok", "none is set")
    problems = []
    plan = Schedule(settings.schedule, settings.state / COPIES, keeps=False)
    for one, check in plan.published:
        problem, sentence = one.look(check)
        if problem is not None:
            state: State = "fault" if one.version() is None else "warning"
            return _finding("calendars", state, Problem(problem.what, one.where, problem.remedy))
        problems.append(sentence)
    return Finding("calendars", "ok", "; ".join(problems) or "all are read")
