"""A school on this machine that things can be done to: a process for each part."""

from __future__ import annotations

import getpass
import random
from datetime import datetime, timezone
from pathlib import Path

import yaml

from collector.access.script import token_in
from collector.storage.database import connect
from collector.storage.store import Store
from deploy.bench.faults.compare import journalled
from deploy.bench.faults.plan import COLLECTOR, DRIVER_S, FROZEN_S, KINDS, Fault, Kind
from deploy.bench.faults.processes import Disk, ManagedProcess
from deploy.bench.faults.proxy import FaultProxy, Mode
from deploy.bench.faults.watch import Watcher
from deploy.commands.broker import find_mosquitto
from deploy.commands.ports import free_port
from edge.agent import OUTBOX
from edge.common import atomic_file
from edge.common.child import python_command
from edge.protocol.messages import Mood

SITE = "bench"
EVER = (datetime(1970, 1, 2, tzinfo=timezone.utc), datetime(2999, 1, 1, tzinfo=timezone.utc))
MOST = 10**7
DISK_MB = 24
MODES: dict[Kind, Mode] = {
    "network_cut": "cut",
    "delay": "delay",
    "loss": "loss",
    "half_open": "half_open",
}


class FaultSchool:
    """Everything in `folder`; raises UserError where Mosquitto is missing."""

    def __init__(self, folder: Path, agents: int, seed: int) -> None:
        mosquitto = find_mosquitto()
        self.folder = folder
        self.rooms = tuple(f"r{number + 1}" for number in range(agents))
        self._random = random.Random(seed)
        self.web_port = free_port()
        broker_port = free_port()
        self._store = folder / "broker"
        self._proxies = {who: FaultProxy(broker_port) for who in (*self.rooms, COLLECTOR)}
        self._disks = {
            who: Disk(folder / "disks" / who, DISK_MB) for who in (*self.rooms, COLLECTOR)
        }
        for who in (*self.rooms, COLLECTOR):
            (folder / "switches" / who).mkdir(parents=True)
        self.database = self._disks[COLLECTOR].folder / "collector.sqlite"
        self._token = token_in(f"sqlite:///{self.database}")
        self.broker = self._kept("broker", [mosquitto, "-c", self._broker_settings(broker_port)])
        self.collector = self._kept(
            COLLECTOR,
            [*_witness("collector"), self._collector_settings(), folder / "switches" / COLLECTOR],
        )
        self.agents = {
            room: self._kept(
                room,
                [
                    *(*_witness("agent"), self._agent_settings(room)),
                    *(self.journal(room), folder / "switches" / room),
                ],
            )
            for room in self.rooms
        }
        self.watchers: dict[str, Watcher] = {}

    def possible(self) -> tuple[Kind, ...]:
        """The kinds of fault that this machine can have."""
        full = all(disk.can_be_full for disk in self._disks.values())
        return tuple(kind for kind in KINDS if full or kind != "disk_full")

    def journal(self, room: str) -> Path:
        return self.folder / f"{room}.journal"

    def start(self) -> None:
        for kept in (self.broker, self.collector, *self.agents.values()):
            kept.start()
        self.watchers = {
            room: Watcher(self.web_port, SITE, room, self._token) for room in self.rooms
        }

    def stop(self) -> None:
        for watcher in self.watchers.values():
            watcher.stop()
        for kept in (*self.agents.values(), self.collector, self.broker):
            kept.stop()
        for proxy in self._proxies.values():
            proxy.stop()

    def remove_disks(self) -> None:
        for disk in self._disks.values():
            disk.remove()

    def feels(self, fault: Fault) -> tuple[str, ...]:
        """The rooms whose live page a fault may hold up."""
        return (fault.victim,) if fault.victim in self.rooms else self.rooms

    def begin(self, fault: Fault) -> None:
        """Lets it happen; what lasts goes on until `end`."""
        if fault.kind in MODES:
            self._proxies[fault.victim].be(MODES[fault.kind])
        elif fault.kind == "disk_full":
            self._disks[fault.victim].fill()
        else:
            self._at_once(fault)

    def end(self, fault: Fault) -> None:
        if fault.kind in MODES:
            self._proxies[fault.victim].be("pass")
        elif fault.kind == "disk_full":
            self._disks[fault.victim].clear()

    def _at_once(self, fault: Fault) -> None:
        if fault.kind == "kill_agent":
            self.agents[fault.victim].kill()
        elif fault.kind == "kill_broker":
            self.broker.kill()
        elif fault.kind == "kill_collector":
            self.collector.kill()
        elif fault.kind == "broker_store_deleted":
            self.broker.kill(self._forget)
        elif fault.kind == "clock_jump":
            self._switch(fault.victim, "days", self._days(fault))
        elif fault.kind == "corrupted_outbox":
            self._corrupt(fault)
        else:  # each press is another word
            name = fault.kind.removesuffix("_camera")
            self._switch(fault.victim, name, str(fault.variant))

    def _forget(self) -> None:
        for file in self._store.glob("*.db*"):
            file.unlink()

    def _switch(self, victim: str, name: str, word: str) -> None:
        atomic_file.write(self.folder / "switches" / victim / name, word)

    @staticmethod
    def _days(fault: Fault) -> str:
        return ("-1", "0", "1")[int(fault.variant * 2.999)]

    def _corrupt(self, fault: Fault) -> None:
        """Rewrites a part of the outbox's file, of a dead agent or under a living one."""
        path = self._disks[fault.victim].folder / "state" / OUTBOX

        def damage() -> None:
            if not path.exists():
                return
            with path.open("r+b") as file:
                size = path.stat().st_size
                for _ in range(1 + int(fault.variant * 40)):
                    file.seek(self._random.randrange(size))
                    file.write(self._random.randbytes(min(512, size)))

        if fault.variant < 0.5:
            self.agents[fault.victim].kill(damage)
        else:
            damage()

    def counted(self) -> list[Mood]:
        """Every window that an agent has kept, by the journals."""
        return [mood for room in self.rooms for mood in journalled(self.journal(room))]

    def held(self) -> list[Mood]:
        """Every window that the collector has."""
        engine = connect(f"sqlite:///{self.database}")
        try:
            store = Store(engine)
            return [mood for room in self.rooms for mood in store.between(SITE, room, *EVER, MOST)]
        finally:
            engine.dispose()

    def _kept(self, name: str, command: list[object]) -> ManagedProcess:
        return ManagedProcess(name, [str(part) for part in command], self.folder / f"{name}.log")

    def _broker_settings(self, port: int) -> Path:
        self._store.mkdir()
        return self._written(
            "mosquitto.conf",
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
            f"persistence true\npersistence_location {self._store}/\nautosave_interval 5\n",
        )

    def _collector_settings(self) -> Path:
        return self._yaml(
            "collector.yaml",
            {
                "database": f"sqlite:///{self.database}",
                "state": str(self.folder / "collector-state"),
                "broker": {"port": self._proxies[COLLECTOR].port},
                "web": {"port": self.web_port},
            },
        )

    def _agent_settings(self, room: str) -> Path:
        return self._yaml(
            f"{room}.yaml",
            {
                "site": SITE,
                "room": room,
                "camera": f"sim:seats=8,seed={self.rooms.index(room) + 1}",
                "window_seconds": 1,
                "frames_per_second": 2,
                "faces": {"min_size": 50, "scale_factor": 1.3},
                "broker": {"port": self._proxies[room].port},
                "state": str(self._disks[room].folder / "state"),
                "supervision": {"frozen_s": FROZEN_S, "driver_s": DRIVER_S},
            },
        )

    def _yaml(self, name: str, content: object) -> Path:
        return self._written(name, yaml.safe_dump(content, sort_keys=False))

    def _written(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def _witness(which: str) -> tuple[str, ...]:
    return tuple(python_command("deploy.bench.faults.witness", which))
