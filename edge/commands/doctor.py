"""`roommood agent doctor`: looks at everything an agent needs, and names the remedy for each fault.

Unlike `agent check` it looks at the machine too, and has its findings as JSON.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from typing import Any, Literal, NamedTuple

import numpy
from cryptography import x509

from edge.camera import make
from edge.camera.attempt import picture_size
from edge.camera.recording import Recording
from edge.common.address import mask_source
from edge.common.calendar_sources import COPIES
from edge.common.clock import BUILD_TIME, trust
from edge.common.clock_remedy import clock_remedy
from edge.common.errors import ENROL_ANEW, Problem, UserError, unusable
from edge.common.reach import place, try_connection
from edge.config import AgentSettings
from edge.device.verdict import CollectorLink
from edge.permission.mode import decide
from edge.permission.schedule import Schedule
from edge.run.memory import no_swap
from edge.run.state_lock import StateFolderBusy, hold_state
from edge.vision.forms import open_fast
from edge.vision.interpreter import TfliteClassifier, runtime

Check = Callable[[Any], "Finding"]
State = Literal["ok", "warning", "fault"]

LEAST_FREE = 100 * 2**20
"""Bytes on the disk that holds the outbox."""

CERTIFICATE_WARNS_DAYS = 20
CLOCK_OFF_S = 600.0
"""By far more than a network takes, and by which certificates and timetables go wrong."""
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


RENEW = "run `sudo roommood device sync --renew`"
ENROL = "run `sudo roommood device enrol`, with a code from `roommood device invite`"


def examine(
    settings: AgentSettings, has_room: bool = True, collector: CollectorLink | None = None
) -> Iterator[Finding]:
    """One finding for each check, in the order in which a fault would show.

    Before enrolment there is neither certificate nor broker to look at.
    """
    asks: tuple[Check, ...] = (_clock, _collector)
    checks: tuple[Check, ...] = (
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
        _collector,
        _broker,
        _calendars,
    )
    for check in checks:
        name = check.__name__.removeprefix("_")
        if not has_room and check in (_certificate, _collector, _broker):
            yield _finding(name, "warning", Problem("this device is not enrolled yet", "", ENROL))
            continue
        try:
            yield check(collector) if check in asks else check(settings)
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
    name, _class = runtime()
    detail = f"{name} with NumPy {numpy.__version__}"
    old = name == "tflite-runtime"
    if old != numpy.__version__.startswith("1."):
        requirement = "numpy<2" if old else "numpy>=2"
        return _fault("runtime", detail, f"pip install '{requirement}'")
    return Finding("runtime", "ok", detail)


def _opencv(settings: AgentSettings) -> Finding:
    import cv2  # noqa: PLC0415  # one that cannot be loaded is this finding

    from edge.vision.detectors import choose, search  # noqa: PLC0415  # loads it

    search(settings.faces, has_classifier=False)
    choice = choose(settings.faces)
    detail = f"OpenCV {cv2.__version__} with {choice.sentence}"
    if choice.problem:
        return Finding(
            "opencv", "warning", f"{detail}: {choice.problem.what}", choice.problem.remedy
        )
    return Finding("opencv", "ok", detail)


def _model(settings: AgentSettings) -> Finding:
    pack, model = open_fast(settings.model)
    TfliteClassifier(model, pack.input, len(pack.labels))
    return Finding("model", "ok", f"{pack.name} ({pack.digest})")


def _state(settings: AgentSettings) -> Finding:
    with contextlib.suppress(StateFolderBusy), hold_state(settings.state):
        pass
    free = shutil.disk_usage(settings.state).free
    detail, where = f"{free // 2**20} MB free", str(settings.state)
    if not os.access(settings.state, os.W_OK):
        return _fault("state", "cannot be written", f"let user {os.getuid()} write there", where)
    if free < LEAST_FREE:
        return _fault("state", detail, "free some space on that disk", where)
    return Finding("state", "ok", f"{where}: {detail}")


def _clock(collector: CollectorLink | None) -> Finding:
    """By the collector's own, where there is one: a clock that nothing sets may be years ahead."""
    now, sync_state = datetime.now(timezone.utc), trust()
    detail = f"{now:%Y-%m-%d %H:%M} UTC, {sync_state}"
    if now < BUILD_TIME:
        return _fault("clock", detail, clock_remedy())
    lead_s = None if collector is None else collector.clock_lead_s()
    if lead_s is not None and abs(lead_s) > CLOCK_OFF_S:
        side = "ahead of" if lead_s > 0 else "behind"
        return _fault(
            "clock", f"{detail}: {_long(abs(lead_s))} {side} the collector's", clock_remedy()
        )
    if sync_state != "synced":
        return Finding("clock", "warning", detail, clock_remedy())
    return Finding("clock", "ok", detail)


def _long(seconds: float) -> str:
    """In the unit that says most."""
    days, minutes = seconds / 86_400, seconds / 60
    return f"{days:.0f} days" if days >= 2 else f"{minutes:.0f} minutes"


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
        with hold_state(settings.state):
            width, height = picture_size(camera, mask_source(settings.camera))
    except StateFolderBusy:
        return Finding("camera", "ok", "in use by the agent that is running")
    return Finding("camera", "ok", f"{mask_source(settings.camera)}: {width}x{height}")


def _certificate(settings: AgentSettings) -> Finding:
    path = settings.broker.certificate
    if path is None:
        return Finding("certificate", "ok", "none is set")
    where = str(path)
    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except FileNotFoundError:
        return _fault("certificate", "no such file", ENROL_ANEW, where)
    except (OSError, ValueError) as error:
        return _finding("certificate", "fault", unusable(error, where, ENROL_ANEW))
    days = (ends - datetime.now(timezone.utc)).days
    detail = f"expires on {ends:%Y-%m-%d}"
    if days < 0:
        return _fault("certificate", detail, f"mend the clock if it is wrong; else {ENROL}", where)
    if days < CERTIFICATE_WARNS_DAYS:
        return _finding("certificate", "warning", Problem(detail, path, RENEW))
    return Finding("certificate", "ok", f"{where}: {detail}")


def _collector(collector: CollectorLink | None) -> Finding:
    """The collector's own verdict: it alone knows whether it took the certificate back."""
    if collector is None:
        return Finding("collector", "ok", "none: this agent is set up by hand")
    try:
        return Finding("collector", "ok", collector.ask())
    except UserError as verdict:
        return _finding("collector", "fault", verdict)


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
    plan = Schedule(settings.schedule, settings.place, settings.state / COPIES, keeps=False)
    for one, check in plan.web_sources:
        problem, sentence = one.look(check)
        if problem is not None:
            state: State = "fault" if one.version() is None else "warning"
            return _finding("calendars", state, Problem(problem.what, one.where, problem.remedy))
        problems.append(sentence)
    if plan.emptiness is not None:
        return _finding("calendars", "warning", plan.emptiness)
    return Finding("calendars", "ok", "; ".join(problems) or "all are read")
