"""A collector with some windows, and its folder of backups."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from collector.cli import collector
from collector.storage.database import connect
from collector.storage.store import Store
from edge.common.errors import UserError
from tests.collector.storage.kill_retention import count_rows
from tests.conftest import ROOT, mood


class Place:
    """`backups` is made where it is not there."""

    def __init__(self, folder: Path, url: str, backups: Path, **changes: Any) -> None:
        self.folder, self.url, self.backups = folder, url, backups
        self.state, self.config = folder / "state", folder / "collector.yaml"
        self.backups.mkdir(mode=0o700, exist_ok=True)
        self.change(**changes)

    def change(self, **changes: Any) -> None:
        """Settings of `backup`, beside the folder."""
        backup = {"folder": str(self.backups)} | changes
        settings = {"database": self.url, "state": str(self.state), "backup": backup}
        self.config.write_text(yaml.safe_dump(settings))

    def fill(self, windows: int, first: int = 0, room: str = "r101") -> None:
        engine = connect(self.url)
        Store(engine).add([mood(seq=first + n, room=room) for n in range(windows)])
        engine.dispose()

    def call(self, *words: str) -> Result:
        """What it raises is in the result."""
        return CliRunner().invoke(collector, [*words, "--config", str(self.config)])

    def status(self, *words: str) -> int:
        """Its exit status."""
        command = [*words, "--config", str(self.config)]
        result = CliRunner().invoke(collector, command, standalone_mode=False)
        if isinstance(result.exception, UserError):
            return 2
        return int(result.return_value or 0)

    def backup(self, *words: str) -> None:
        """Raises what it raises."""
        command = ["backup", *words, "--config", str(self.config)]
        CliRunner().invoke(collector, command, catch_exceptions=False)

    def process(self, *words: str) -> subprocess.Popen[str]:
        """The same in a process of its own."""
        command = [sys.executable, "-m", "deploy.commands.cli", "collector", "backup", *words]
        return subprocess.Popen(
            [*command, "--config", str(self.config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def files(self) -> list[Path]:
        """Backups, the oldest first."""
        return sorted(self.backups.glob("roommood-*.tar.gz"))

    def numbers(self) -> list[int]:
        return [int(path.name.split("-")[1]) for path in self.files()]

    def others(self) -> set[str]:
        """What is there besides."""
        return set(os.listdir(self.backups)) - {path.name for path in self.files()}

    def listing(self, *words: str) -> list[dict[str, Any]]:
        lines = self.call("backups", "--json", *words).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def restore(self, file: Path) -> int:
        """Into a machine of its own with SQLite; returns how many windows are there then."""
        other = Path(self.folder, f"other-{len(list(self.folder.glob('other-*')))}")
        other.mkdir()
        url = f"sqlite:///{other}/c.sqlite"
        config = other / "collector.yaml"
        config.write_text(yaml.safe_dump({"database": url, "state": str(other / "state")}))
        words = ["restore", "--from", str(file), "--config", str(config)]
        CliRunner().invoke(collector, words, catch_exceptions=False)
        engine = connect(url)
        count = count_rows(engine)
        engine.dispose()
        return count
