"""`roommood demo`: broker, agent, collector and page on this machine, on loopback only."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, available_timezones

import click
import yaml

from collector.config import CollectorSettings
from edge.camera import make
from edge.camera.listing import CameraListing, cameras
from edge.common.child import python_command
from edge.common.command import log_to_stderr
from edge.common.errors import CameraFault, UserError
from edge.common.say import say
from edge.config import AgentSettings
from edge.protocol.messages import Mood

if TYPE_CHECKING:
    from collector.service import Service
    from deploy.commands.demo_devices import MadeUpDevices

PORT = 8642
SITE, ROOM = "demo", "classroom"
SIMULATION = "sim:seats=24,seed=1"
AGENT_BEGINS_S = 20.0
CHILD_ENDS_S = 2.0


@dataclass(frozen=True)
class Demo:
    source: str
    seconds: float | None
    window: float
    port: int | None
    state: Path
    as_json: bool


@click.command()
@click.option(
    "--source",
    default=SIMULATION,
    show_default=True,
    help="Camera or file to watch; auto: the first camera that works, else the simulation.",
)
@click.option("--seconds", type=click.FloatRange(min=1), help="Stop after this long.")
@click.option(
    "--window",
    type=click.FloatRange(1, 3600),
    default=5.0,
    show_default=True,
    help="Window length in seconds.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"Port of the page; {PORT} if it is free."
)
@click.option("--state", type=click.Path(path_type=Path), help="Keep the data in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print each stored mood as a line of JSON.")
def demo(
    source: str,
    seconds: float | None,
    window: float,
    port: int | None,
    state: Path | None,
    as_json: bool,
) -> int:
    """Run the whole system on this machine and watch a classroom's mood."""
    log_to_stderr("warning")
    if source == "auto":
        source = first_camera(cameras())
    else:
        _check_source(source)
    with _folder(state) as folder:
        say("roommood: starting the broker, the agent and the pages …", err=True)
        return _run(Demo(source, seconds, window, port, folder, as_json))


def first_camera(candidates: Sequence[CameraListing]) -> str:
    """The source of the first that gives a picture, else the simulation; says on stderr which."""
    for one in candidates:
        try:
            _check_source(one.source)
        except UserError as error:
            say(f"roommood: {error.where}: {error.what}; trying the next one", err=True)
        else:
            say(f"roommood: the camera is {one.source} ({one.title})", err=True)
            return one.source
    say(f"roommood: no camera works here; watching the simulation, {SIMULATION}", err=True)
    return SIMULATION


def _check_source(source: str) -> None:
    """Refuses, before anything is started, a source that gives no picture."""
    camera = make(source)
    if source.partition(":")[0] == "sim":
        return
    try:
        camera.open()
        camera.read()
    except CameraFault as fault:
        raise fault.lasting() from None
    finally:
        camera.close()


@contextlib.contextmanager
def _folder(state: Path | None) -> Iterator[Path]:
    if state is None:
        with tempfile.TemporaryDirectory(prefix="roommood-") as name:
            yield Path(name)
        return
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(str(error.strerror), state, "choose another folder with --state") from None
    yield state.resolve()


def _run(demo: Demo) -> int:
    from collector.service import Service

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    is_simulation = demo.source.partition(":")[0] == "sim"
    with contextlib.ExitStack() as ending:
        listener = ending.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        broker_port = listener.getsockname()[1]
        settings = _collector_settings(demo, broker_port)
        broker = _child("deploy.commands.demo_broker", listener.fileno(), hand=listener)
        ending.callback(_end, broker)
        devices = _made_up(settings, broker_port, is_simulation)
        if stopping.is_set():
            return 0
        agent = _start_agent(demo, broker_port)
        ending.callback(_end, agent)
        made_up: Literal["all", "others"] = "all" if is_simulation else "others"
        service = Service(settings, lambda mood: _print_mood(mood, demo), made_up=made_up)
        ending.callback(service.stop)  # first, so that nothing is left of a start that fails
        service.start()
        ending.callback(devices.stop)
        devices.start()
        ending.callback(_end, agent)  # before all else: its last window is stored yet
        say(f"roommood: the page: {_entrance(service)}", err=True)
        say("roommood: Ctrl-C stops everything.", err=True)
        _until(stopping, lambda: _is_over(agent, broker) or _online(service), AGENT_BEGINS_S)
        _until(stopping, lambda: _is_over(agent, broker), demo.seconds)
        if broker.poll() is not None:
            raise UserError("has ended", "the demo's broker", "see above why; start the demo again")
        return agent.returncode or 0


def _is_over(*children: subprocess.Popen[bytes]) -> bool:
    return any(child.poll() is not None for child in children)


def _until(stopping: threading.Event, condition: Callable[[], bool], seconds: float | None) -> bool:
    """Until something has happened, we are told to stop, or the time is up: whether it has."""
    end = None if seconds is None else time.monotonic() + seconds
    while not condition():
        if stopping.wait(0.05) or (end is not None and time.monotonic() >= end):
            return False
    return True


def _online(service: Service) -> bool:
    """Whether the agent has told that it is there: from then on the demo's seconds count."""
    return service.rooms.view(SITE, ROOM).status is not None


def _made_up(settings: CollectorSettings, broker_port: int, is_simulation: bool) -> MadeUpDevices:
    """Fills a new database with a made-up week; returns the devices of the made-up rooms."""
    from collector.storage.database import connect
    from collector.storage.store import Store
    from deploy.commands.demo_devices import MadeUpDevices
    from deploy.commands.demo_school import MadeUpSchool

    school = MadeUpSchool(SITE, ZoneInfo(settings.school.timezone))
    engine = connect(settings.database)
    try:
        if not Store(engine).latest():
            lessons = school.fill(engine, time.time(), live=is_simulation)
            say(f"roommood: {lessons} lessons of the past week are made up", err=True)
    finally:
        engine.dispose()
    return MadeUpDevices(school, broker_port)


def _entrance(service: Service) -> str:
    """An address that signs in: nobody else is on this machine, and an account is there to try."""
    accounts = service.accounts
    account = accounts.by_name_or_none("demo")
    own = account or accounts.add("demo", "administrator", password=secrets.token_urlsafe(24))
    lasting_s, room = 86_400.0, (SITE, ROOM)
    secret = service.sessions.make_link("demo", lasting_s, room, "administrator", own.id)
    return f"{service.url}/enter/{secret}"


def _end(child: subprocess.Popen[bytes]) -> None:
    """Lets it end by itself, as an agent that sends its last window, but not for long."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(CHILD_ENDS_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _print_mood(mood: Mood, demo: Demo) -> None:
    """One line on stdout for each mood of the camera's room that the collector stored."""
    if mood.room != ROOM:
        return
    if demo.as_json:
        line = mood.model_dump_json(by_alias=True)
    elif mood.counts is None:
        line = f"{mood.start:%H:%M:%S} withheld: {mood.withheld}"
    else:
        counts = ", ".join(f"{label} {count}" for label, count in mood.counts.items() if count)
        line = f"{mood.start:%H:%M:%S} {mood.faces} faces: {counts}"
    try:
        say(line)
    except BrokenPipeError:  # whoever read our lines has gone: `roommood demo --json | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGTERM)


def _start_agent(demo: Demo, broker_port: int) -> subprocess.Popen[bytes]:
    settings = {
        "site": SITE,
        "room": ROOM,
        "camera": str(Path(demo.source).resolve()) if Path(demo.source).exists() else demo.source,
        "window_seconds": demo.window,
        "broker": {"port": broker_port, "protocol": "3.1.1"},
        "state": str(demo.state / "agent"),
        "log_level": "warning",
    }
    AgentSettings.model_validate(settings)
    config = demo.state / "agent.yaml"
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return _child("deploy.commands.cli", "agent", "run", "--config", config)


def _child(
    module: str, *arguments: object, hand: socket.socket | None = None
) -> subprocess.Popen[bytes]:
    # Should the demo be killed, the kernel ends the child too; setpriv is part of every Debian.
    with_parent = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    return subprocess.Popen(
        [*with_parent, *python_command(module, *map(str, arguments))],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        pass_fds=() if hand is None else (hand.fileno(),),
        start_new_session=True,  # Ctrl-C is for us alone; we end our children in good order
    )


def _collector_settings(demo: Demo, broker_port: int) -> CollectorSettings:
    port = demo.port
    if port is None:
        port = PORT if _is_free(PORT) else 0
    settings = {
        "database": f"sqlite:///{demo.state / 'collector.sqlite'}",
        "state": str(demo.state / "collector"),
        "broker": {"port": broker_port, "protocol": "3.1.1"},
        "web": {"port": port},
        "school": {"timezone": _zone()},
    }
    config = demo.state / "collector.yaml"
    config.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return CollectorSettings.model_validate(settings)


def _zone() -> str:
    """This machine's time zone, so that the clock on the pages is the one on the wall."""
    place = os.environ.get("TZ") or str(Path("/etc/localtime").resolve())
    name = place.lstrip(":").rpartition("zoneinfo/")[2]
    return name if name in available_timezones() else "UTC"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
