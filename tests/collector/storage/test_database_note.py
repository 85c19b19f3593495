"""A database that is gone, empty, another or an older copy is not taken for the one of before."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import Engine, text

from collector.access.secret import FILE as KEY_FILE
from collector.cli import collector
from collector.retention.backup import backup
from collector.retention.restore import restore
from collector.run.own_database import OwnDatabase
from collector.storage.database import connect
from collector.storage.database_note import FILE, DatabaseIdentity, read
from collector.storage.store import Store
from collector.storage.tables import settings
from edge.common.errors import UserError
from tests.collector.storage.places import Place
from tests.conftest import mood
from tests.postgres import Postgres

pytestmark = pytest.mark.once


def test_a_start_after_a_start_wants_nothing(place: Place) -> None:
    for _ in range(3):
        place.runs()
    assert not place.wants()
    note = read(place.state)
    assert note is not None
    assert note.number == 9


def test_a_killed_collector_wants_nothing(place: Place) -> None:
    """Its note may be behind the database by a number, never ahead of it."""
    database = OwnDatabase(place.settings)
    earlier = (place.state / FILE).read_bytes()
    Store(database.engine).add([mood(seq=1)])
    database.note_worker.run_once()
    (place.state / FILE).write_bytes(earlier)  # killed between the two
    database.end()
    place.runs()
    assert not place.wants()


def test_an_older_copy_is_said_and_devices_are_asked(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.runs()
    copy = place.copy()
    place.runs()
    place.put_back(copy)
    caplog.set_level(logging.ERROR)
    place.runs(0)
    assert "it is older than when it was last used" in caplog.text
    assert place.wants()
    caplog.clear()
    place.runs()  # and is the one of the note from now on
    assert caplog.text == ""


def test_an_older_copy_of_before_there_were_notes(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.runs()
    copy = place.copy()
    copy[settings.name] = []
    place.put_back(copy)
    place.runs()
    assert "it is older" in caplog.text
    assert place.wants()


@pytest.mark.parametrize("kind", ["empty", "another"])
def test_one_that_is_empty_or_anothers_is_refused_and_not_written(place: Place, kind: str) -> None:
    place.runs()
    good = place.copy()
    (place.folder / "elsewhere").mkdir()
    if kind == "another":
        bad = good | {settings.name: [{"key": "identity", "value": {"identity": "x", "number": 9}}]}
    else:
        bad = {name: [] for name in good}
    place.put_back(bad)
    words = "is empty" if kind == "empty" else "is not the one that this collector used"
    for _ in range(2):  # it does not become right by being tried
        with pytest.raises(UserError, match=words) as refusal:
            OwnDatabase(place.settings)
        assert str(place.state / FILE) in refusal.value.remedy
    assert place.copy() == bad
    place.put_back(good)
    place.runs()
    assert not place.wants()


def test_whoever_deletes_the_note_begins_with_what_is_there(place: Place) -> None:
    place.runs()
    place.put_back({name: [] for name in place.copy()})
    (place.state / FILE).unlink()
    place.runs()
    assert not place.wants()


def test_a_state_folder_that_is_gone_is_not_made_anew(place: Place, tmp_path: Path) -> None:
    """As a disk that is not mounted: a new key would end every session, link and seal."""
    place.runs()
    place.state.rename(tmp_path / "kept")
    for _ in range(2):
        with pytest.raises(UserError, match="key is not there") as refusal:
            OwnDatabase(place.settings)
        assert f"{place.state}/{KEY_FILE}" in refusal.value.remedy
    assert not (place.state / KEY_FILE).exists()
    shutil.rmtree(place.state)
    (tmp_path / "kept").rename(place.state)
    place.runs()
    shutil.rmtree(place.state)
    place.state.mkdir()
    (place.state / KEY_FILE).write_bytes(b"k" * 32)  # as the remedy has it
    place.runs()


@pytest.mark.parametrize("fault", ["not json", "[]", "{}", '{"place": 1, "identity": "x"}'])
def test_a_damaged_note_is_said_with_what_to_do(place: Place, fault: str) -> None:
    place.runs()
    (place.state / FILE).write_text(fault)
    with pytest.raises(UserError, match="is damaged: delete it"):
        OwnDatabase(place.settings)
    (place.state / FILE).unlink()
    place.runs()


def test_a_restored_backup_is_the_right_one(place: Place, postgres: Postgres) -> None:
    """Into a new database; devices are asked by the restore itself."""
    place.runs()
    engine = connect(place.url)
    backup(engine, place.state, place.folder / "b.tar.gz")
    engine.dispose()
    place.runs()
    is_sqlite = place.url.startswith("sqlite")
    place.url = f"sqlite:///{place.folder}/n.sqlite" if is_sqlite else postgres.fresh()
    with pytest.raises(UserError, match="it used"):
        OwnDatabase(place.settings)  # too early; and says which one was used
    engine = connect(place.url)
    restore(engine, place.state, place.folder / "b.tar.gz")
    engine.dispose()
    place.runs()
    assert place.wants()
    note = read(place.state)
    assert note is not None
    assert note.place.partition("@")[2] == place.url.partition("@")[2]


def test_the_note_is_not_written_where_the_state_folder_went(
    engine: Engine, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    identity = DatabaseIdentity(engine, state)
    identity.adopt()
    shutil.rmtree(state)
    Store(engine).add([mood(seq=1)])
    with pytest.raises(UserError, match="is gone: mount it or put it back"):
        identity.advance()
    assert not state.exists()


COMMANDS = [
    ["run"],
    ["check"],
    ["backup", "--out", "OUT"],
    ["resend", "--since", "2026-03-02T08:15:00Z"],
    ["erase", "--room", "school/r101"],
    ["audit", "verify"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:2]))
@pytest.mark.parametrize("fault", ["missing", "no bytes", "no database", "cut short", "damaged"])
def test_commands_refuse_a_file_that_is_gone_or_damaged_in_words(
    arguments: list[str], fault: str, tmp_path: Path
) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")
    place.runs(300)
    path = tmp_path / "c.sqlite"
    content = path.read_bytes()
    spoilers: dict[str, Callable[[], object]] = {
        "missing": path.unlink,
        "no bytes": lambda: path.write_bytes(b""),
        "no database": lambda: path.write_bytes(b"something else " * 1000),
        "cut short": lambda: path.write_bytes(content[: len(content) // 2]),
        "damaged": lambda: path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096)),
    }
    spoilers[fault]()
    config = tmp_path / "collector.yaml"
    config.write_text(yaml.safe_dump({"database": place.url, "state": str(place.state)}))
    out = tmp_path / "b.tar.gz"
    before = path.read_bytes() if path.exists() else None
    words = [str(out) if word == "OUT" else word for word in arguments]
    answer = CliRunner().invoke(collector, [*words, "--config", str(config)], standalone_mode=False)
    if arguments == ["check"]:  # which lists all that is wrong
        assert answer.return_value == 2
        message = answer.output
    else:
        assert isinstance(answer.exception, UserError), answer.output
        message = str(answer.exception)
    assert f"database sqlite:///{path}" in message
    assert "restore" in message
    assert (path.read_bytes() if path.exists() else None) == before
    assert not out.exists()


def test_a_journal_that_was_cut_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What stood in it was acknowledged, and devices have it still."""
    place = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")
    place.runs(1)
    database = OwnDatabase(place.settings)
    store = Store(database.engine)
    for seq in range(10, 60):
        store.add([mood(seq=seq)])
        database.note_worker.run_once()
    for end in ("", "-wal"):  # as a crash leaves them
        shutil.copy(f"{tmp_path}/c.sqlite{end}", f"{tmp_path}/crash{end}")
    database.end()
    for end in ("-wal", "-shm"):
        Path(f"{tmp_path}/c.sqlite{end}").unlink(missing_ok=True)
    for end in ("", "-wal"):
        shutil.copy(f"{tmp_path}/crash{end}", f"{tmp_path}/c.sqlite{end}")
    wal = tmp_path / "c.sqlite-wal"
    assert wal.stat().st_size > 50_000
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 2])
    place.runs(0)
    assert "its end was lost" in caplog.text
    assert place.wants()


def test_a_file_that_somebody_holds_is_said_in_words(tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")
    place.runs()
    config = tmp_path / "collector.yaml"
    config.write_text(yaml.safe_dump({"database": place.url, "state": str(place.state)}))
    other = sqlite3.connect(tmp_path / "c.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    begin = time.monotonic()
    answer = CliRunner().invoke(collector, ["run", "--config", str(config)], standalone_mode=False)
    other.close()
    assert isinstance(answer.exception, UserError), answer.output
    assert "database is locked" in str(answer.exception)
    assert "end what else has it open" in str(answer.exception)
    assert time.monotonic() - begin < 60


def test_whoever_upgrades_loses_nothing(place: Place) -> None:
    """A database and a state folder of before there were notes."""
    place.runs()
    engine = connect(place.url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM setting WHERE key = 'identity'"))
    engine.dispose()
    (place.state / FILE).unlink()
    place.runs()
    place.runs()
    assert not place.wants()
