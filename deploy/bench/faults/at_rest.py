"""Faults of what is stored: upgrades, backups, restores and erasures that are killed half-way."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import yaml
from sqlalchemy import create_engine, func, select

from collector.storage.database import NEWEST, connect, revision, upgrade
from collector.storage.store import Store
from collector.storage.tables import moods
from edge.common.child import python_command
from edge.protocol.messages import Mood

LONGEST_S = 3.0
"""A command ends by itself within that, mostly; where it is killed is chance."""

OLD = "0003"
"""The revision that upgrades begin with."""

ERASED_ROOM = "gone"
"""The room that is erased; no device has it."""
SITE = "bench"
WINDOWS = 3000


class StoredData:
    """Of the collector with these settings; `problems` are what the next try could not mend."""

    def __init__(self, folder: Path, database: Path, config: Path) -> None:
        self._folder, self._database, self._config = folder, database, config
        self._folder.mkdir()
        self.problems: list[str] = []
        self.erasures = 0
        """Windows that nobody may see again."""

    def kill(self, kind: str, variant: float, *, is_locked: bool = False) -> None:
        """`is_locked`: while somebody else holds the database, which has to be said in words."""
        kinds: dict[str, Callable[[float], None]] = {
            "kill_backup": self._backup,
            "kill_restore": self._restore,
            "kill_erasure": self._erasure,
            "kill_upgrade": self._upgrade,
        }
        try:
            if is_locked and kind != "kill_upgrade":  # that one has a database of its own
                self._try_while_locked()
            else:
                kinds[kind](variant * LONGEST_S)
        except Exception as error:  # whatever it is, it is what the bench looks for
            self.problems.append(f"{kind}: {error}")

    def count_returns(self) -> int:
        """Windows of the room that was erased, which nobody has sent since."""
        return _count(self._database, moods.c.room == ERASED_ROOM)

    def _backup(self, after_s: float) -> None:
        out = self._folder / "backup.tar.gz"
        self._run(after_s, "backup", "--config", self._config, "--out", out)
        self._run(None, "backup", "--config", self._config, "--out", out)

    def _try_while_locked(self) -> None:
        out = self._folder / "backup.tar.gz"
        before = out.read_bytes() if out.exists() else b""
        command = ("backup", "--config", str(self._config), "--out", str(out))
        answer = subprocess.run(
            python_command("deploy.commands.cli", "collector", *command),
            check=False,
            capture_output=True,
            text=True,
        )
        if answer.returncode == 0:
            return  # it was given back in time
        if answer.returncode != 2 or "database is locked: " not in answer.stderr:
            raise ValueError(f"while locked: {answer.returncode}, {answer.stderr}")
        if before != (out.read_bytes() if out.exists() else b""):
            raise ValueError("a backup that was refused has changed the one before it")

    def _restore(self, after_s: float) -> None:
        out, other = self._folder / "whole.tar.gz", self._folder / "other.sqlite"
        for file in self._folder.glob("other.*"):
            file.unlink()
        config = self._folder / "other.yaml"
        settings = {"database": f"sqlite:///{other}", "state": str(self._folder / "other-state")}
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._run(None, "backup", "--config", self._config, "--out", out)
        self._run(after_s, "restore", "--config", config, "--from", out)
        if not other.exists() or not _count(other):
            self._run(None, "restore", "--config", config, "--from", out)
        if not _count(other):
            raise ValueError("nothing was restored")

    def _erasure(self, after_s: float) -> None:
        begin = datetime.now(timezone.utc) - timedelta(hours=20)
        engine = connect(f"sqlite:///{self._database}")
        boot = uuid4()
        Store(engine).add([_window(boot, n, begin) for n in range(WINDOWS)])
        engine.dispose()
        self.erasures += WINDOWS
        command = ("erase", "--config", self._config, "--room", f"{SITE}/{ERASED_ROOM}")
        self._run(after_s, *command)
        self._run(None, *command)
        if left := self.count_returns():
            raise ValueError(f"{left} windows are left")

    def _upgrade(self, after_s: float) -> None:
        file = self._folder / "old.sqlite"
        for old in self._folder.glob("old.sqlite*"):
            old.unlink()
        engine = create_engine(f"sqlite:///{file}")
        upgrade(engine, OLD)
        engine.dispose()
        config = self._folder / "old.yaml"
        settings = {"database": f"sqlite:///{file}", "state": str(self._folder / "old-state")}
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._run(after_s, "account", "list", "--config", config)
        engine = connect(f"sqlite:///{file}")
        if revision(engine) != NEWEST:
            raise ValueError("an older revision")
        engine.dispose()

    def _run(self, kill_after_s: float | None, *arguments: str | Path) -> None:
        """Of the collector's commands; killed, or to its end, which has to be a good one."""
        command = python_command("deploy.commands.cli", "collector", *map(str, arguments))
        with (self._folder / "commands.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            process.kill()
        status = process.wait()
        if kill_after_s is None and status:
            raise ValueError(f"{arguments[0]} ended with {status}: see {self._folder}/commands.log")


def _count(file: Path, *where: object) -> int:
    engine = connect(f"sqlite:///{file}")
    with engine.connect() as connection:
        query = select(func.count()).select_from(moods).where(*where)  # type: ignore[arg-type]  # conditions
        count = int(connection.execute(query).scalar_one())
    engine.dispose()
    return count


def _window(boot: object, seq: int, begin: datetime) -> Mood:
    return Mood.model_validate(
        {
            **{
                "schema": "roommood.mood/1",
                "site": SITE,
                "room": ERASED_ROOM,
                "device": ERASED_ROOM,
            },
            **{"boot": boot, "seq": seq, "start": begin + seq * timedelta(seconds=15)},
            **{"seconds": 15.0, "clock": "synced", "frames": 30, "faces": None, "counts": None},
            **{"withheld": "few_faces", "model": "0" * 12},
        }
    )
