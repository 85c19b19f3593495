"""`collector check` tries to write, as a collector will; and each fault has its remedy."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import text

from collector.cli import collector
from collector.storage.database import SPACE, WRITABLE, connect, remedy_for
from deploy.bench.faults.processes import Disk
from edge.common.errors import UserError
from tests.collector.storage.places import Place
from tests.full_disk import leave, small_disk

pytestmark = pytest.mark.once


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path, 8) as one:
        yield one


def call(url: str, state: Path, folder: Path, *words: str) -> Result:
    config = folder / "collector.yaml"
    config.write_text(yaml.safe_dump({"database": url, "state": str(state)}))
    arguments = [*words, "--config", str(config)]
    return CliRunner().invoke(collector, arguments, standalone_mode=False)


def test_check_leaves_nothing_behind(place: Place, tmp_path: Path) -> None:
    place.runs()
    before, names = place.copy(), sorted(one.name for one in place.state.iterdir())
    assert "database: ok" in call(place.url, place.state, tmp_path, "check").output
    assert place.copy() == before
    assert sorted(one.name for one in place.state.iterdir()) == names


def test_a_new_database_stays_empty_for_a_restore(place: Place, tmp_path: Path) -> None:
    place.runs()
    source = place.back_up()
    place.url = place.new_url()
    (place.state / "database.json").unlink()
    assert "database: ok" in call(place.url, place.state, tmp_path, "check").output
    words = ("restore", "--from", str(source))
    assert "rows restored" in call(place.url, place.state, tmp_path, *words).output


@pytest.mark.parametrize("what", ["database", "state"])
def test_a_full_disk_is_found_by_check(disk: Disk, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    place = Place(folder, f"sqlite:///{folder}/c.sqlite")
    if what == "database":
        place.url = f"sqlite:///{disk.folder}/c.sqlite"
    else:
        place.state = disk.folder / "state"
    place.runs()
    leave(disk, 0)
    answer = call(place.url, place.state, tmp_path, "check")
    assert answer.return_value == 2
    assert SPACE in answer.output
    assert "database: ok" not in answer.output
    disk.clear()
    assert "database: ok" in call(place.url, place.state, tmp_path, "check").output


def test_a_disk_that_may_not_be_written_is_found_by_check(disk: Disk, tmp_path: Path) -> None:
    place = Place(disk.folder, f"sqlite:///{disk.folder}/c.sqlite")
    place.runs()
    remount = ["mount", "-o", "remount,ro", str(disk.folder)]
    if subprocess.run(remount, check=False, capture_output=True).returncode:
        pytest.skip("it cannot be mounted read-only here")
    try:
        answer = call(place.url, place.state, tmp_path, "check")
        start = call(place.url, place.state, tmp_path, "run")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk.folder)], check=True)
    assert answer.return_value == 2
    assert WRITABLE in answer.output
    assert "database: ok" not in answer.output
    assert isinstance(start.exception, UserError)
    assert start.exception.remedy == WRITABLE


def test_a_restore_onto_a_full_disk_says_that_it_is_full(disk: Disk, tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")
    place.runs()
    words = ("restore", "--from", str(place.back_up()))
    leave(disk, 0)
    answer = call(f"sqlite:///{disk.folder}/n.sqlite", place.state, tmp_path, *words)
    assert isinstance(answer.exception, UserError)
    assert answer.exception.remedy == SPACE


def test_a_server_that_takes_nothing_is_found_by_check(
    place: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if place.server is None:
        pytest.skip("SQLite has no such setting")
    place.runs()
    engine = connect(place.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        setting = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
        connection.execute(text(f"{setting} = on"))
        engine.dispose()
        answer = call(place.url, place.state, tmp_path, "check")
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"{setting} = off"))
    assert answer.return_value == 2
    assert WRITABLE in answer.output


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("database or disk is full", SPACE),
        ('could not extend file "base/1": No space left on device', SPACE),
        ("attempt to write a readonly database", WRITABLE),
        ("cannot execute INSERT in a read-only transaction", WRITABLE),
        ("connection refused", "check 'database'"),
    ],
)
def test_remedies(reason: str, remedy: str) -> None:
    assert remedy_for(reason, "check 'database'") == remedy
