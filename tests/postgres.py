"""A real PostgreSQL from Debian's packages, on loopback, gone after the tests."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.free import free_port, wait_for_port


def _binaries() -> Path:
    """The folder of the newest server installed; Debian keeps it off the PATH."""
    paths = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not paths:
        raise AssertionError("no PostgreSQL server: apt install postgresql")
    return paths[-1].parent


def _as_server() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, which tests in a container often are."""
    return {"user": "postgres"} if os.geteuid() == 0 else {}


class Postgres:
    """One server; `fresh` makes an empty database in it, `with_tables` one of ours."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._numbers = itertools.count()
        self._model = ""
        self._bin = _binaries()
        self._folder = folder
        owner = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else os.getuid()
        os.chown(folder, owner, -1)
        self._quiet(
            [str(self._bin / "initdb"), "-D", "data", "-U", "roommood", "-A", "trust", "--no-sync"]
        )
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(str(self._bin / "postgres"), "-D", "data", "-p", str(self._port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
                *("-c", f"unix_socket_directories={self._folder}"),
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_as_server(),
        )
        wait_for_port(self._port, self._process)

    def fresh(self) -> str:
        return self._url(self._create())

    def with_tables(self) -> str:
        """As the migrations make them, once; the others are copies."""
        from collector.storage.database import connect  # noqa: PLC0415  # not where models are trained

        if not self._model:
            name = self._create()
            connect(self._url(name)).dispose()
            self._model = name
        return self._url(self._create("-T", self._model))

    def _create(self, *options: str) -> str:
        name = f"test{next(self._numbers)}"
        createdb = shutil.which("createdb") or str(self._bin / "createdb")
        whom = ("-h", "127.0.0.1", "-p", str(self._port), "-U", "roommood")
        self._quiet([createdb, *whom, *options, name])
        return name

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://roommood@127.0.0.1:{self._port}/{name}"

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # at once, whoever is still connected
        self._process.wait(60)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """It is there, accepts connections, and answers nobody."""
        server = self._process.pid
        processes = [server]
        os.kill(server, signal.SIGSTOP)  # first, so that it begins no other
        for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
            os.kill(int(child), signal.SIGSTOP)
            processes.append(int(child))
        try:
            yield
        finally:
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):  # a worker of its own that has ended
                    os.kill(pid, signal.SIGCONT)

    def _quiet(self, command: list[str]) -> None:
        subprocess.run(
            command, cwd=self._folder, check=True, stdout=subprocess.DEVNULL, **_as_server()
        )
