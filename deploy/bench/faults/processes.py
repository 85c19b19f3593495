"""Keeps processes running as systemd would: whatever ends is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

RESTART_S = 1.0
"""As RestartSec= in the units."""

KILL_STATUS = -signal.SIGKILL


class ManagedProcess:
    """One process between `start` and `stop`; `log` gets what it says."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self.ends: list[int] = []
        """How it ended each time, by itself or killed."""

    def start(self) -> None:
        self._spawn()
        self._thread.start()

    def kill(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """SIGKILL; `meanwhile` happens while it is down."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            meanwhile()

    def end(self, within_s: float) -> bool:
        """SIGTERM; whether it ended by itself in time. It is started again."""
        with self._lock:
            process = self._process
        if process is None:
            return True
        process.terminate()
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def stop(self, timeout: float = 10) -> None:
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self) -> None:
        with self._log.open("ab") as log, self._lock:
            if not self._stopping.is_set():
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=os.environ | {"PYTHONUNBUFFERED": "1"},
                )

    def _keep(self) -> None:
        while not self._stopping.is_set():
            process = self._process
            assert process is not None  # started before this thread
            self.ends.append(process.wait())
            if not self._stopping.wait(RESTART_S):
                self._spawn()


class Disk:
    """A small disk of its own, a tmpfs, that can be filled to the last byte; needs root."""

    def __init__(self, folder: Path, size_mb: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        options = ["-o", f"size={size_mb}m,mode=700", "-t", "tmpfs", "roommood"]
        self.can_be_full = not subprocess.run(
            ["mount", *options, str(folder)], capture_output=True, check=False
        ).returncode

    def fill(self) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            for size in (2**16, 4096, 512):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def clear(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)

    def remove(self) -> None:
        if self.can_be_full:
            for _ in range(20):
                process = subprocess.run(
                    ["umount", str(self.folder)], capture_output=True, check=False
                )
                if not process.returncode:
                    return
                time.sleep(0.1)
            # Who still has a file open there keeps it; the name is free for the folder to go.
            subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)
