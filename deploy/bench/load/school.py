"""A real broker and a real collector, each a process of its own, for as long as a measurement."""

from __future__ import annotations

import getpass
import subprocess
import time
from pathlib import Path
from types import TracebackType

import httpx
import yaml

from collector.access.script import token_in
from deploy.commands.broker import find_mosquitto
from deploy.commands.ports import free_port
from edge.common.child import python_command
from edge.common.errors import UserError

BEGINS_S = 30.0

MOST_FEEDS = 10_000


class LoadSchool:
    """Both, on loopback; `token` opens the pages."""

    def __init__(self, folder: Path, database: str | None, files: int | None = None) -> None:
        """`files` is how many the collector may have open."""
        mosquitto = find_mosquitto()
        self.database = database or f"sqlite:///{folder}/collector.sqlite"
        self.token = token_in(self.database)
        self.broker_port, self.web_port = free_port(), free_port()
        conf = folder / "mosquitto.conf"
        conf.write_text(
            f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\n"
            f"user {getpass.getuser()}\nmax_queued_messages 0\nmax_inflight_messages 0\n",
            encoding="utf-8",
        )
        settings = {
            "database": self.database,
            "state": str(folder / "state"),
            "broker": {"port": self.broker_port},
            # All screens of the bench have one token.
            "web": {"port": self.web_port, "feeds": MOST_FEEDS, "feeds_per_account": MOST_FEEDS},
            "log_level": "warning",
        }
        config = folder / "collector.yaml"
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._processes = [
            subprocess.Popen([mosquitto, "-c", str(conf)], stderr=subprocess.DEVNULL)
        ]
        command = python_command("deploy.commands.cli", "collector", "run", "--config", str(config))
        if files is not None:
            command = ["/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command]
        self.log = folder / "collector.log"
        self._log = self.log.open("wb")
        self._start = time.monotonic()
        self.started_s = 0.0
        """Until it was healthy."""
        self._processes.append(subprocess.Popen(command, stderr=self._log))

    def __enter__(self) -> LoadSchool:
        end = time.monotonic() + BEGINS_S
        while time.monotonic() < end:
            try:
                if httpx.get(f"http://127.0.0.1:{self.web_port}/healthz").status_code == 200:
                    self.started_s = time.monotonic() - self._start
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        self.__exit__(None, None, None)
        raise UserError("did not start", "collector", f"see {self._log.name!r}")

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()

    def memory_mb(self) -> float:
        """Resident memory of the collector."""
        pages = Path(f"/proc/{self._processes[1].pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096 / 1e6

    def cpu_s(self) -> float:
        """Processor time of the collector so far."""
        stat = Path(f"/proc/{self._processes[1].pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100
