"""Runs `roommood` as a user does: a process of its own, its output read line by line."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Any

from tests.conftest import ROOT


class Roommood:
    """One command, ended in any case when its block is left."""

    def __init__(self, *arguments: object) -> None:
        self._out: queue.Queue[str] = queue.Queue()
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.commands.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._readers = [
            threading.Thread(target=self._read, args=reads, daemon=True)
            for reads in ((self.process.stdout, self._out.put), (self.process.stderr, self._log))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, store: Any) -> None:
        for line in stream:
            store(line.rstrip("\n"))

    def _log(self, line: str) -> None:
        self.errors.append(line)

    def mood(self, seconds: float = 60) -> dict[str, Any]:
        """The next line on stdout, as JSON."""
        try:
            read: dict[str, Any] = json.loads(self._out.get(timeout=seconds))
        except queue.Empty:
            raise AssertionError(f"no mood in {seconds} s; stderr: {self.errors}") from None
        return read

    def rest(self) -> list[dict[str, Any]]:
        """Every line not yet read, once the process has ended."""
        return [json.loads(line) for line in self.output().splitlines()]

    def output(self) -> str:
        """All of stdout, once the process has ended."""
        self.process.wait(60)
        for reader in self._readers:
            reader.join(10)
        return "\n".join(self._out.get() for _ in range(self._out.qsize()))

    def wait_for_line(self, text: str, seconds: float = 60) -> str:
        """The first line on stderr with `text` in it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.errors):
                if text in line:
                    return line
            time.sleep(0.05)
        raise AssertionError(f"'{text}' was not said; stderr: {self.errors}")

    def interrupt(self) -> None:
        """Ctrl-C, and until the process has ended."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def __enter__(self) -> Roommood:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
