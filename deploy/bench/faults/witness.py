"""What the fault bench starts in place of `roommood agent run` and `roommood collector run`.

The same agent and collector, with a journal of what was counted, in a file that no fault touches; a
camera that can freeze or hang; and a wall clock that can jump. Each is worked by a file:

    python -m deploy.bench.faults.witness agent CONFIG JOURNAL SWITCHES
    python -m deploy.bench.faults.witness collector CONFIG SWITCHES
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import time_machine

from deploy.commands.cli import main
from edge.agent import OUTBOX, Agent
from edge.camera import make
from edge.camera.base import Camera, Grey
from edge.common.command import log_to_stderr, stop_on_signals
from edge.common.errors import Stall
from edge.common.settings import load
from edge.common.watchdog import TRY_AGAIN
from edge.config import AgentSettings
from edge.outbox.store import Outbox
from edge.protocol.messages import Mood

FRAME_S = 0.25
POLL_S = 0.05


def read_switch(switches: Path, name: str) -> str:
    """What a switch says, or nothing."""
    try:
        return (switches / name).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


class FaultyCamera:
    """Freezes, until it is opened anew, or hangs, each time that its switch says another word."""

    def __init__(self, camera: Camera, switches: Path) -> None:
        self._camera, self._switches = camera, switches
        self._values = {name: read_switch(switches, name) for name in ("frozen", "hanging")}
        self._still_frame: Grey | None = None

    def open(self) -> None:
        self._still_frame = None
        self._camera.open()

    def read(self) -> Grey:
        time.sleep(FRAME_S)
        if self._has_news("hanging"):
            threading.Event().wait()
        frame = self._camera.read()
        if self._has_news("frozen"):
            self._still_frame = frame.copy()
        return frame if self._still_frame is None else self._still_frame.copy()

    def close(self) -> None:
        self._camera.close()

    def _has_news(self, name: str) -> bool:
        before, self._values[name] = self._values[name], read_switch(self._switches, name)
        return before != self._values[name]


class WitnessedOutbox(Outbox):
    """Notes each window once it is kept: from then on it must not be lost."""

    def __init__(self, path: Path, journal: Path) -> None:
        super().__init__(path)
        self._journal = journal.open("ab", buffering=0)

    def add(self, mood: Mood) -> None:
        super().add(mood)
        self._journal.write(mood.encode() + b"\n")


def jump_with(switches: Path) -> None:
    """Lets this process's wall clock follow a switch: so many days from the machine's.

    The monotonic clock goes on, as it does in life.
    """
    days = read_switch(switches, "days") or "0"
    clock = time_machine.travel(datetime.now(timezone.utc) + timedelta(days=int(days)), tick=True)
    here = clock.start()

    def follow(days: int) -> None:
        while True:
            now = int(read_switch(switches, "days") or "0")
            if now != days:
                here.shift(timedelta(days=now - days))
                days = now
            time.sleep(POLL_S)

    threading.Thread(target=follow, args=(int(days),), daemon=True).start()


def hang_with(switches: Path) -> None:
    """Has look-ups of names wait for as long as a switch says so."""
    find = socket.getaddrinfo

    def look_up(*args: Any, **kwargs: Any) -> Any:
        while read_switch(switches, "dns"):
            time.sleep(POLL_S)
        return find(*args, **kwargs)

    socket.getaddrinfo = look_up


def run_agent(config: Path, journal: Path, switches: Path) -> None:
    settings = load(AgentSettings, config)
    log_to_stderr(settings.log_level)
    camera = FaultyCamera(make(settings.camera), switches)
    agent = Agent(settings, camera, WitnessedOutbox(settings.state / OUTBOX, journal))
    stop_on_signals(agent.stop)
    try:
        again = agent.run()
    except Stall:
        sys.exit(TRY_AGAIN)
    if again:
        sys.exit(TRY_AGAIN)


if __name__ == "__main__":
    which, settings_file, *others = sys.argv[1:]
    jump_with(Path(others[-1]))
    hang_with(Path(others[-1]))
    if which == "agent":
        run_agent(Path(settings_file), *map(Path, others))
    else:
        sys.argv[1:] = ["collector", "run", "--config", settings_file]
        main()
