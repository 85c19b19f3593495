"""A damaged database is not served as a whole one, and no window in it is acknowledged."""

from __future__ import annotations

import contextlib
import queue
import shutil
import sqlite3
import subprocess
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from collector.run.own_database import OwnDatabase
from collector.storage import page_check
from collector.storage.database import RESTORE, begin, connect
from collector.storage.database_note import read
from collector.storage.page_check import PageCheck, is_damage, watch_damage, wrong_pages
from collector.storage.pulse import DatabasePulse
from collector.storage.store import Store
from collector.storage.tables import moods
from edge.common.errors import UserError
from tests.collector.school import School
from tests.collector.storage.places import Place
from tests.collector.test_service import play
from tests.conftest import Mosquitto, mood
from tests.free import wait
from tests.postgres import Postgres

pytestmark = pytest.mark.once

ENDS = ("", "-wal", "-shm")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")


def put(source: Path, target: Path, ends: tuple[str, ...] = ENDS) -> None:
    for end in ends:
        Path(f"{target}{end}").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(f"{source}{end}", f"{target}{end}")


def fold(path: Path) -> None:
    """The journal into the file, all of it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        wait(lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


@pytest.fixture
def mixture(place: Place) -> Path:
    """Of a collector that was killed: an older file beside the newer one's journal. What belongs
    together lies in the folder `pair`."""
    path, pair = place.folder / "c.sqlite", place.folder / "pair"
    pair.mkdir()
    database = OwnDatabase(place.settings)
    store = Store(database.engine)
    store.add([mood(seq=n) for n in range(300)])
    fold(path)
    shutil.copy(path, pair / "older")
    store.add([mood(seq=n) for n in range(300, 990)])
    fold(path)
    store.add([mood(seq=n) for n in range(990, 1050)])
    database.note_worker.run_once()
    put(path, pair / "c.sqlite")  # as a kill leaves them
    database.engine.dispose()
    database.end()
    put(pair / "c.sqlite", path)
    note = place.state / "database.json"
    note.write_text(note.read_text().replace('"good_end": true', '"good_end": false'))
    shutil.copy(pair / "older", path)
    return pair


def test_an_older_file_beside_a_newer_journal_is_refused(place: Place, mixture: Path) -> None:
    path = place.folder / "c.sqlite"
    before = {end: Path(f"{path}{end}").read_bytes() for end in ENDS[:2]}
    for _ in range(2):
        with pytest.raises(UserError, match="is damaged") as refusal:
            OwnDatabase(place.settings)
        assert refusal.value.remedy == RESTORE
    assert {end: Path(f"{path}{end}").read_bytes() for end in ENDS[:2]} == before
    put(mixture / "c.sqlite", path)  # since nothing was made of the journal meanwhile
    place.runs(0)
    engine = connect(place.url)
    with engine.connect() as connection:
        assert len(connection.execute(moods.select()).all()) == 1050
    engine.dispose()


def check_of(place: Place) -> PageCheck:
    return PageCheck(place.url, place.state, DatabasePulse())


def test_after_an_end_in_good_order_nothing_is_looked_through(place: Place) -> None:
    assert not check_of(place).is_due  # there is none yet
    place.runs()
    assert not check_of(place).is_due
    database = OwnDatabase(place.settings)
    assert check_of(place).is_due  # it would be after a kill
    database.end()
    assert not check_of(place).is_due


def test_a_journal_that_was_left_is_looked_through(place: Place) -> None:
    place.runs()
    (place.folder / "c.sqlite-wal").write_bytes(b"x")
    assert check_of(place).is_due


def test_a_note_of_an_earlier_version_says_nothing_of_its_end(place: Place) -> None:
    place.runs()
    note = place.state / "database.json"
    note.write_text(note.read_text().replace(', "good_end": true', ""))
    assert check_of(place).is_due
    place.runs(0)
    assert not check_of(place).is_due


def test_what_takes_longer_is_done_beside_the_rest(
    place: Place, mixture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_check, "STEPS", 1)
    pulse = DatabasePulse()
    check = PageCheck(place.url, place.state, pulse)
    check.at_start(0.0)
    assert check.is_due
    assert not pulse.damage
    check.run_once()
    assert "is damaged" in pulse.problem()
    assert not check.is_due
    put(mixture / "c.sqlite", place.folder / "c.sqlite")
    assert wrong_pages(place.folder / "c.sqlite", lambda: True) == ""
    assert wrong_pages(place.folder / "c.sqlite", lambda: False) is None


def test_it_is_a_worker_of_the_collectors_and_an_end_before_its_own_is_no_good_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.runs()
    (place.state / "database.json").unlink()
    monkeypatch.setattr(page_check, "STEPS", 1)
    monkeypatch.setattr(page_check.PageCheck.at_start, "__defaults__", (0.0,))
    database = OwnDatabase(place.settings)
    names = [worker.name for worker in database.workers]
    assert names == ["database", "database note", "database check"]
    database.end()
    note = read(place.state)
    assert note is not None
    assert not note.good_end
    monkeypatch.undo()
    place.runs(0)
    assert not check_of(place).is_due


def test_damage_under_a_running_collector_fails_health_and_acknowledges_nothing(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    path = tmp_path / "c.sqlite"
    with School(tmp_path, mosquitto.port) as school, play(mosquitto) as room:
        room.send(mood(seq=1).encode())
        assert room.acks.get(timeout=60)["seq"] == 1
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 1")  # so that nobody trusts what he has read
        fold(path)
        pages = path.stat().st_size // 4096 - 1
        # By another process: a descriptor that is closed in this one would drop SQLite's locks.
        command = ["dd", "if=/dev/zero", f"of={path}", "bs=4096", "seek=1", "conv=notrunc"]
        subprocess.run([*command, f"count={pages}"], check=True, stderr=subprocess.DEVNULL)
        url = f"{school.service.url}/healthz"
        wait(lambda: "is damaged" in httpx.get(url).json()["workers"].get("database", ""))
        answer = httpx.get(url)
        assert answer.status_code == 503
        assert answer.json()["database"] is False
        room.send(mood(seq=2).encode())
        wait(lambda: "writer" in httpx.get(url).json()["workers"])
        with pytest.raises(queue.Empty):
            room.acks.get(timeout=1)
    assert check_of(Place(tmp_path, f"sqlite:///{path}")).is_due
    with pytest.raises(UserError, match="damaged"):
        OwnDatabase(school.settings)


def test_once_damage_was_seen_nothing_is_committed(place: Place) -> None:
    database = OwnDatabase(place.settings)
    store = Store(database.engine)
    store.add([mood(seq=1)])
    database.pulse.report_damage("database disk image is malformed")
    with pytest.raises(OperationalError, match="is damaged"):
        store.add([mood(seq=2)])
    assert database.pulse.problem() == f"is damaged (database disk image is malformed): {RESTORE}"
    with database.engine.connect() as connection:
        assert len(connection.execute(moods.select()).all()) == 1  # what is there can be read
    database.end()
    assert check_of(place).is_due


@pytest.mark.parametrize(("code", "is_bad"), [("XX001", True), ("XX002", True), ("40001", False)])
def test_postgresql_names_it_by_a_code(postgres: Postgres, code: str, is_bad: bool) -> None:
    engine, pulse = connect(postgres.fresh()), DatabasePulse()
    watch_damage(engine, pulse)
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'block 7' USING ERRCODE = '{code}'; END $$"
    with contextlib.suppress(Exception), engine.connect() as connection:
        connection.exec_driver_sql(statement)
    assert pulse.problem() == (f"is damaged (block 7): {RESTORE}" if is_bad else "")
    with contextlib.ExitStack() as stack:
        if is_bad:
            stack.enter_context(pytest.raises(OperationalError, match="is damaged"))
        with begin(engine) as connection:
            connection.execute(text("SELECT 1"))
    engine.dispose()


@pytest.mark.parametrize(
    "words", ["malformed JSON", "database is locked", "database or disk is full"]
)
def test_what_is_no_damage(words: str) -> None:
    assert not is_damage(sqlite3.OperationalError(words))
    assert is_damage(sqlite3.DatabaseError("database disk image is malformed"))
    assert is_damage(sqlite3.DatabaseError("file is not a database"))


def test_a_file_with_an_odd_name_and_one_that_is_held(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c %41.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.commit()
        assert wrong_pages(path, lambda: True) == ""
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            wrong_pages(path, lambda: True)
