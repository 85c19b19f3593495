"""A whole site for tests: `site init`, a real Mosquitto with TLS, a collector over HTTPS."""

from __future__ import annotations

import contextlib
import getpass
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import yaml
from click.testing import CliRunner

from collector.access.accounts import Room
from collector.config import CollectorSettings
from collector.fleet.service import FleetService
from collector.service import Service
from collector.storage.database import connect
from deploy.commands.broker import trial
from deploy.commands.device import device
from deploy.commands.site_init import SitePlan, init
from edge.common.settings import load
from edge.device.enrol import DeviceEnrolment
from edge.protocol.code import Code
from tests.free import free_port, wait, wait_for_port

SITE = "school"


class Site:
    """Between `with` and its end; `collector.yaml` is as `site init` wrote it, but for changes."""

    def __init__(self, folder: Path, hosts: tuple[str, ...] = ("localhost",), **fleet: Any) -> None:
        self.folder = folder
        self.config = folder / "collector.yaml"
        self.log = folder / "broker.log"
        self.place = SitePlan(
            SITE,
            hosts,
            folder / "site",
            self.config,
            folder / "collector",
            self.log,
            folder / "broker-data",
            free_port(),
            free_port(),
            free_port(),
        )
        self.place.data.mkdir()
        self.init_lines = list(init(self.place))
        conf = folder / "site" / "broker" / "mosquitto.conf"
        conf.write_text(f"{conf.read_text()}user {getpass.getuser()}\n")
        content = yaml.safe_load(self.config.read_text())
        content["web"]["host"] = "127.0.0.1"
        content["fleet"] |= fleet
        self.config.write_text(yaml.safe_dump(content))
        self.conf = conf
        self.url = f"https://localhost:{self.place.web_port}"
        self.ca = folder / "site" / "authority.pem"
        self._ending = threading.Event()

    def __enter__(self) -> Site:
        self._broker = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", str(self.conf)], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.place.broker_port, self._broker)
        settings = load(CollectorSettings, self.config)
        self.service = Service(settings)
        self.engine = connect(settings.database)
        """The tests' own way to the database, beside the collector's."""
        self.service.start()
        self._watcher = threading.Thread(target=self._reloads, daemon=True)
        self._watcher.start()
        wait(lambda: self.get("/healthz").status_code == 200)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._watcher.join()
        self.service.stop()
        self.engine.dispose()
        self._broker.terminate()
        self._broker.wait(60)

    def _reloads(self) -> None:
        """What systemd's path unit does: try the files, then let the broker read them anew."""
        files = self.fleet.files
        paths = (files.revocation_list, files.broker_pem)
        times = [path.stat().st_mtime_ns for path in paths]
        while not self._ending.wait(0.2):
            now = [path.stat().st_mtime_ns for path in paths]
            if now == times:
                continue
            times = now
            trial(files)
            self._broker.send_signal(signal.SIGHUP)

    @contextlib.contextmanager
    def broker_waits(self) -> Iterator[None]:
        """A broker that is busy elsewhere, and finds all that was sent meanwhile at once."""
        self._broker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._broker.send_signal(signal.SIGCONT)

    @property
    def fleet(self) -> FleetService:
        assert self.service.fleet is not None
        return self.service.fleet

    def get(self, path: str) -> httpx.Response:
        with self.client() as client, contextlib.suppress(httpx.TransportError):
            return client.get(path)
        return httpx.Response(503)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=ssl.create_default_context(cafile=self.ca))

    def log_of(self, what: str) -> list[str]:
        """What the audit log says of one kind of event, with who."""
        entries = self.service.audit.newest(1000)
        return [f"{entry.who}: {entry.about}" for entry in entries if entry.what == what]

    def invite(self, room: str = "r101", seconds: float = 900) -> Code:
        return self.fleet.invite((SITE, room), "ian", seconds)

    def run(self, *words: str) -> tuple[int, str]:
        """`roommood device …` beside the collector: its status and what it printed."""
        runner = CliRunner()
        result = runner.invoke(
            device, [*words, "--config", str(self.config)], standalone_mode=False
        )
        if result.exception is not None:
            raise result.exception
        return int(result.return_value or 0), result.output

    def enrol_device(self, room: str = "r101") -> Path:
        """A device's folder, invited, asked and approved."""
        state = self.folder / f"device-{room}-{len(list(self.folder.iterdir()))}"
        state.mkdir()
        code = self.invite(room)
        self.enrol(state, code, lambda: self.approve((SITE, room)))
        return state

    def enrol(self, state: Path, code: Code, meanwhile: Callable[[], Any]) -> list[str]:
        """What the device said; `meanwhile` is done once it has asked."""
        lines: list[str] = []

        def say(line: str) -> None:
            lines.append(line)
            if len(lines) == 2:
                meanwhile()

        DeviceEnrolment(self.url, code, state).run(say, 60)
        return lines

    def approve(self, room: Room) -> None:
        for request in self.fleet.invitations.pending():
            if request.room == room:
                self.fleet.enrolment.approve(request, "ian")
