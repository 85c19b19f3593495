"""A school on this machine that things can be done to: a process for each part."""

from __future__ import annotations

import getpass
import os
import random
import shutil
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import yaml

from collector.access.script import token_in
from collector.storage.database import connect
from collector.storage.store import Store
from deploy.bench.faults import forger, stranger
from deploy.bench.faults.at_rest import StoredData
from deploy.bench.faults.compare import read_journal
from deploy.bench.faults.lessons import LessonsUnderFaults
from deploy.bench.faults.plan import AT_REST, COLLECTOR, DRIVER_S, FROZEN_S, KINDS, Fault, Kind
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
FORGERIES = 10
"""So many of a device's newest windows are forged."""
DISK_MB = 32
WEBHOOK_SECRET = "whsec_" + "A" * 32
ENDS_S = {"agent": 15.0, "collector": 20.0}
"""After SIGTERM, as TimeoutStopSec= in the units, also where a name server does not answer."""
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
        broker_port, self.device_port = free_port(), free_port()
        self._store = folder / "broker"
        self._proxies = {who: FaultProxy(broker_port) for who in (*self.rooms, COLLECTOR)}
        self._disks = {
            who: Disk(folder / "disks" / who, DISK_MB) for who in (*self.rooms, COLLECTOR)
        }
        for who in (*self.rooms, COLLECTOR):
            (folder / "switches" / who).mkdir(parents=True)
        self.database = self._disks[COLLECTOR].folder / "collector.sqlite"
        self._token = token_in(f"sqlite:///{self.database}")
        self.broker_port = broker_port
        self._lock: sqlite3.Connection | None = None
        self.lessons = LessonsUnderFaults(self.database, self.web_port, self._token, SITE)
        self.broker = self._supervise(
            "broker", [mosquitto, "-c", self._broker_settings(broker_port)]
        )
        config = self._collector_settings()
        self.at_rest = StoredData(folder / "at-rest", self.database, config)
        self.collector = self._supervise(
            COLLECTOR,
            [*_witness("collector"), config, folder / "switches" / COLLECTOR],
        )
        self.agents = {
            room: self._supervise(
                room,
                [
                    *(*_witness("agent"), self._agent_settings(room)),
                    *(self.journal(room), folder / "switches" / room),
                ],
            )
            for room in self.rooms
        }
        self.watchers: dict[str, Watcher] = {}
        self.problems: list[str] = []
        """Who did not end when it was told to."""

    def possible(self) -> tuple[Kind, ...]:
        """The kinds of fault that this machine can have."""
        full = all(disk.can_be_full for disk in self._disks.values())
        return tuple(kind for kind in KINDS if full or kind != "disk_full")

    def journal(self, room: str) -> Path:
        return self.folder / f"{room}.journal"

    def start(self) -> None:
        self.lessons.begin(self.rooms)
        for process in (self.broker, self.collector, *self.agents.values()):
            process.start()
        self.watchers = {
            room: Watcher(self.web_port, SITE, room, self._token) for room in self.rooms
        }

    def stop(self) -> None:
        for watcher in self.watchers.values():
            watcher.stop()
        for process in (*self.agents.values(), self.collector, self.broker):
            process.stop()
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
        elif fault.kind == "dns_hangs":
            self._switch(fault.victim, "dns", "hangs")
            self._proxies[fault.victim].be("cut")
        elif fault.kind == "database_locked":
            self._lock = sqlite3.connect(self.database, isolation_level=None, timeout=30)
            self._lock.execute("BEGIN IMMEDIATE")
        elif fault.kind == "state_folder_gone":
            shutil.rmtree(self._state(fault), ignore_errors=True)
        else:
            self._at_once(fault)

    def end(self, fault: Fault) -> None:
        if fault.kind in MODES:
            self._proxies[fault.victim].be("pass")
        elif fault.kind == "disk_full":
            self._disks[fault.victim].clear()
        elif fault.kind == "dns_hangs":
            self._end_process(fault.victim)
            self._switch(fault.victim, "dns", "")
            self._proxies[fault.victim].be("pass")
        elif fault.kind == "database_locked" and self._lock is not None:
            self._lock.rollback()
            self._lock.close()
            self._lock = None
        elif fault.kind == "state_folder_gone":
            self.agents[fault.victim].kill()  # what it has not brought along is lost now

    def _end_process(self, victim: str) -> None:
        """While its look-up hangs."""
        process = self.collector if victim == COLLECTOR else self.agents[victim]
        within_s = ENDS_S["collector" if victim == COLLECTOR else "agent"]
        if not process.end(within_s):
            self.problems.append(f"dns_hangs({victim}): did not end within {within_s:.0f} s")

    def _state(self, fault: Fault) -> Path:
        return self._disks[fault.victim].folder / "state"

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
        elif fault.kind in ("truncated_log", "missing_outbox"):
            self.agents[fault.victim].kill(lambda: self._cut_short(fault))
        elif fault.kind == "absurd_clock":
            stranger.send(self.broker_port, SITE, fault.victim, fault.variant)
        elif fault.kind == "forged_identity":
            windows = read_journal(self.journal(fault.victim))
            forger.forge(self.device_port, SITE, windows[-FORGERIES:])
        elif fault.kind in AT_REST:
            self.at_rest.kill(fault.kind, fault.variant, is_locked=self._lock is not None)
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
        """A server's may be anything: past what is kept, nothing must be thrown away by it."""
        choices = ("-1", "0", "1", "400") if fault.victim == COLLECTOR else ("-1", "0", "1")
        return choices[int(fault.variant * (len(choices) - 0.001))]

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

    def _cut_short(self, fault: Fault) -> None:
        """Of a dead agent: its outbox's log, or all of its outbox but the second copy."""
        path = self._state(fault) / OUTBOX
        log_file = path.with_name(f"{OUTBOX}-wal")
        if fault.kind == "missing_outbox":
            for file in path.parent.glob(f"{OUTBOX}*"):
                file.unlink()
        elif log_file.exists():
            os.truncate(log_file, int(log_file.stat().st_size * fault.variant))

    def journal_moods(self) -> list[Mood]:
        """Every window that an agent has kept, by the journals."""
        return [mood for room in self.rooms for mood in read_journal(self.journal(room))]

    def count_forgeries(self) -> int:
        """Windows of the hostile device that are in a room of the others."""
        return sum(mood.model == forger.MODEL for mood in self.collector_moods())

    def collector_moods(self) -> list[Mood]:
        """Every window that the collector has."""
        engine = connect(f"sqlite:///{self.database}")
        try:
            store = Store(engine)
            return [mood for room in self.rooms for mood in store.between(SITE, room, *EVER, MOST)]
        finally:
            engine.dispose()

    def _supervise(self, name: str, command: list[object]) -> ManagedProcess:
        return ManagedProcess(name, [str(part) for part in command], self.folder / f"{name}.log")

    def _broker_settings(self, port: int) -> Path:
        """For ours without names, as the bench's proxies need it; for devices as a site has it."""
        self._store.mkdir()
        rules = self._write("mosquitto.acl", forger.rules(SITE))
        passwords = self._write("mosquitto.passwords", forger.password_line())
        for file in (rules, passwords):
            file.chmod(0o600)
        return self._write(
            "mosquitto.conf",
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
            f"listener {self.device_port} 127.0.0.1\nuse_username_as_clientid true\n"
            f"acl_file {rules}\npassword_file {passwords}\n"
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
                # Nobody listens there: what is to be told waits, is written down, and given up.
                "webhooks": [{"url": "http://127.0.0.1:9/", "secret": WEBHOOK_SECRET}],
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
        return self._write(name, yaml.safe_dump(content, sort_keys=False))

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def _witness(which: str) -> tuple[str, ...]:
    return tuple(python_command("deploy.bench.faults.witness", which))
