"""The service that runs the agent, as seen by a command that has changed its settings."""

from __future__ import annotations

import subprocess
import time
from typing import Protocol

LOOK_S = 1.0


class AgentService(Protocol):
    """What keeps the agent running."""

    def runs(self) -> bool: ...

    def restart_well(self, seconds: float) -> bool:
        """Restarts it; whether it runs all that time without a further start."""
        ...


class SystemdUnit:
    """A unit of this machine's systemd."""

    def __init__(self, name: str) -> None:
        self._name = name

    def runs(self) -> bool:
        return self._call("is-active", "--quiet").returncode == 0

    def restart_well(self, seconds: float) -> bool:
        if self._call("restart").returncode != 0:
            return False
        starts = self._starts()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(LOOK_S)
            if self._starts() != starts or self._call("is-failed", "--quiet").returncode == 0:
                return False
        return self.runs()

    def _starts(self) -> str:
        return self._call("show", "-P", "NRestarts").stdout.strip()

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["systemctl", *words, self._name]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:  # no systemd, so no unit of it
            return subprocess.CompletedProcess(command, 1, "", "")


class NoService:
    """Somebody runs the agent by hand, or nobody does."""

    def runs(self) -> bool:
        return False

    def restart_well(self, _seconds: float) -> bool:
        return True
