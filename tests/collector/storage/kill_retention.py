"""Backs up, restores and erases, killed at each step in turn; run by test_kill_retention.py.

    python -m tests.collector.storage.kill_retention WHAT FOLDER URL OTHER

A step is a statement, a commit, or what is done to a file: opened, synced, renamed, removed. Prints
`ok` for each, or what was wrong after the next try.
"""

from __future__ import annotations

import shutil
import sys
from itertools import count
from pathlib import Path

import yaml
from click.testing import CliRunner
from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url

from collector.access.command_access import open_collector
from collector.access.secret import FILE as KEY
from collector.access.secret import own_key
from collector.cli import collector
from collector.lessons.repository import LessonRepository
from collector.retention.erasing import apply_notes, erase_room, finish
from collector.storage.database import connect
from collector.storage.erasure_notes import FILE
from collector.storage.erasures import Erasures
from collector.storage.placement import END
from collector.storage.store import Store
from collector.storage.tables import metadata, moods
from edge.common.errors import UserError
from tests.collector.storage.steps import killed_at
from tests.conftest import mood

WINDOWS = 60
SITE = {
    "authority.key": "a key",
    "authority.pem": "a certificate",
    "site.pub": "half a key",
    "broker/crl.pem": "revoked",
    "broker/mosquitto.acl": "topic",
}
ROOM = ("school", "r101")


class Machine:
    """One collector: its database, its state, its site."""

    def __init__(self, folder: Path, url: str, empty: Path) -> None:
        self.folder, self.url, self.empty = folder, url, empty
        self.state, self.site = folder / "state", folder / "site"
        self.config = folder / "collector.yaml"

    def clear(self) -> None:
        """As it is before anything is installed but the settings."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        fleet = {"site": "school", "folder": str(self.site), "broker_host": "localhost"}
        settings = {"database": self.url, "state": str(self.state), "fleet": fleet}
        self.config.write_text(yaml.safe_dump(settings))
        if (url := make_url(self.url)).get_backend_name() == "sqlite":
            database = Path(str(url.database))
            for file in database.parent.glob(f"{database.name}*"):
                file.unlink()
            shutil.copyfile(self.empty, database)  # how it is made, kill_upgrade.py tries
            return
        engine = connect(self.url)
        with engine.begin() as connection:
            # The audit log's rows cannot be deleted, by a trigger.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table in reversed(metadata.sorted_tables):
                connection.exec_driver_sql(f'TRUNCATE "{table.name}" CASCADE')
        engine.dispose()

    def fill(self) -> None:
        self.clear()
        own_key(self.state)
        for name, text in SITE.items():
            (self.site / name).parent.mkdir(parents=True, exist_ok=True)
            (self.site / name).write_text(text)
        self.fill_rooms()

    def fill_rooms(self) -> None:
        engine = connect(self.url)
        with engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name != "audit":
                    connection.execute(table.delete())
        (self.state / FILE).unlink(missing_ok=True)
        Store(engine).add([mood(seq=n) for n in range(WINDOWS)])
        Store(engine).add([mood(room="r102", seq=n) for n in range(WINDOWS)])
        LessonRepository(engine).begin(*ROOM, "Optics", "button")
        engine.dispose()

    def call(self, *words: str) -> None:
        """A command; raises what it raises."""
        command = [*words, "--config", str(self.config)]
        CliRunner().invoke(collector, command, catch_exceptions=False)

    def start(self) -> None:
        """What every command and the collector begin with."""
        with open_collector(self.config):
            pass

    def count_rows(self) -> int:
        engine = connect(self.url)
        left = count_rows(engine)
        engine.dispose()
        return left

    def wrong(self, other: Machine) -> str:
        """What is not as on the machine that was backed up; nothing where all is."""
        engine = connect(self.url)
        left, lessons = count_rows(engine), len(LessonRepository(engine).of())
        engine.dispose()
        if (left, lessons) != (2 * WINDOWS, 1):
            return f"{left} windows, {lessons} lessons"
        if (self.state / "secret.key").read_bytes() != (other.state / "secret.key").read_bytes():
            return "another key"
        files = {str(one.relative_to(self.site)) for one in self.site.rglob("*") if one.is_file()}
        if files != set(SITE):
            return f"site: {sorted(files ^ set(SITE))}"
        if differing := [n for n, text in SITE.items() if (self.site / n).read_text() != text]:
            return f"site: {differing} are not what they were"
        own = {"secret.key", "audit.head", "audit.lock", "database.json"}
        # What a killed write of the same file left, the next write of it removes.
        others = {one.name for one in self.state.iterdir() if one.suffix != ".part"} - own
        if others:
            return f"state: {sorted(others)}"
        with open_collector(self.config) as (_, _accounts, audit, _settings):
            return "; ".join(audit.wrong())


def count_rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(moods)).scalar_one())


def backed_up(number: int, source: Machine, other: Machine, whole: Path) -> tuple[str, str]:
    """Whether the former one stays until the new one is whole, and the next can be restored."""
    out = source.folder / "b.tar.gz"
    out.write_bytes(whole.read_bytes())
    words = ("backup", "--out", str(out))
    step = killed_at(number, source.folder, lambda: source.call(*words))
    if step and out.read_bytes() == whole.read_bytes():
        source.call(*words)
    if remains := [one.name for one in source.folder.glob(".b.*")]:
        return step, f"left: {remains}"
    other.clear()
    other.call("restore", "--from", str(out))
    left = source.count_rows()
    return step, other.wrong(source) or ("" if left == 2 * WINDOWS else f"{left} windows left")


def kill_restore(
    number: int, source: Machine, other: Machine, whole: Path, then: str
) -> tuple[str, str]:
    """Whether what comes next completes it, or it can be done again as if nothing had been."""
    other.clear()
    words = ("restore", "--from", str(whole))
    step = killed_at(number, other.folder, lambda: other.call(*words))
    if then == "start":
        other.start()
    if then == "restore" or not other.count_rows():
        try:
            other.call(*words)
        except UserError as error:
            if error.what != "not empty":
                raise
    return step, other.wrong(source)


def kill_start(number: int, source: Machine, other: Machine, whole: Path) -> tuple[str, str]:
    """Whether a start that completes a restore, and is killed, is completed by the next."""
    words = ("restore", "--from", str(whole))
    other.clear()
    # Where the first of the staged files takes its name.
    if not killed_at(1, other.folder, lambda: other.call(*words), f"os.rename .{KEY}{END}"):
        return "", "the restore ended"
    step = killed_at(number, other.folder, other.start)
    other.start()
    return step, other.wrong(source)


def kill_erasure(number: int, source: Machine) -> tuple[str, str]:
    """Whether the next start goes on with it, or it has not begun and can be done; what is erased
    does not come back, and nothing else is."""
    source.fill_rooms()
    words = ("erase", "--room", "/".join(ROOM))
    step = killed_at(number, source.folder, lambda: source.call(*words))
    engine = connect(source.url)
    has_begun = Erasures(engine).covers(mood()) or (source.state / FILE).exists()
    is_short = count_rows(engine) < 2 * WINDOWS or not LessonRepository(engine).of()
    if is_short and not has_begun:
        return step, "windows would be taken again that are being erased"
    erasures = Erasures(engine, source.state)
    apply_notes(erasures)
    finish(erasures)
    if not erasures.spans(*ROOM):
        erase_room(erasures, *ROOM)
    with engine.connect() as connection:
        rooms = connection.execute(select(moods.c.room).distinct()).scalars().all()
    left, lessons = count_rows(engine), len(LessonRepository(engine).of())
    is_covered = Erasures(engine).covers(mood())
    engine.dispose()
    good = (list(rooms), left, lessons, is_covered) == (["r102"], WINDOWS, 0, True)
    return step, "" if good else f"{rooms}, {left} windows, {lessons} lessons, {is_covered}"


def attempt(
    what: str, number: int, source: Machine, other: Machine, whole: Path
) -> tuple[str, str]:
    """The step at which it was killed, and what is wrong after what came next."""
    if what == "backup":
        return backed_up(number, source, other, whole)
    if what == "erase":
        return kill_erasure(number, source)
    if what == "start":
        return kill_start(number, source, other, whole)
    return kill_restore(number, source, other, whole, what.removeprefix("restore, then "))


def main(what: str, place: Path, first: str, second: str) -> None:
    empty, whole = place / "empty.sqlite", place / "whole.tar.gz"
    connect(f"sqlite:///{empty}").dispose()
    source, other = Machine(place / "source", first, empty), Machine(place / "other", second, empty)
    source.fill()
    source.call("backup", "--out", str(whole))
    for number in count(1):
        step, wrong = attempt(what, number, source, other, whole)
        print(f"{number} {step}: {wrong}" if wrong else "ok", flush=True)
        if not step:
            break


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
