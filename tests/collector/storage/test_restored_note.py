"""After a restore the database is known again as before: no other is taken for the restored one."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from collector.access.secret import FILE as KEY_FILE
from collector.cli import collector
from collector.run.own_database import OwnDatabase
from collector.storage.database import connect
from collector.storage.database_note import FILE, read
from collector.storage.store import Store
from edge.common.errors import UserError
from tests.collector.storage.places import Place
from tests.conftest import mood

pytestmark = pytest.mark.once


@pytest.fixture
def successor(place: Place) -> Place:
    """It ran, was restored from a backup into a new database, and ran again."""
    place.runs()
    place.restores(place.back_up())
    place.runs()
    return place


def refusal(place: Place) -> str:
    with pytest.raises(UserError) as error:
        OwnDatabase(place.settings)
    assert str(place.state / FILE) in error.value.remedy
    return error.value.what


def execute(place: Place, statement: str) -> None:
    engine = connect(place.url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_the_restore_itself_notes_it(place: Place) -> None:
    """Not the next start, which would note whatever it finds."""
    place.runs()
    before = read(place.state)
    place.restores(place.back_up())
    note = read(place.state)
    assert before is not None
    assert note is not None
    assert note.identity != before.identity
    assert note.number
    assert note.restore
    assert note.place.partition("@")[2] == place.url.partition("@")[2]


def test_after_a_restore_the_database_of_before_it_is_refused(successor: Place) -> None:
    now, successor.url = successor.url, successor.url_before
    for _ in range(2):
        assert "is not the one that this collector used" in refusal(successor)
    successor.url = now
    successor.runs()


def test_after_a_restore_an_empty_database_is_refused(successor: Place) -> None:
    successor.url = successor.new_url()
    connect(successor.url).dispose()  # its tables are there
    assert "is empty" in refusal(successor)


def test_an_empty_one_is_refused_even_before_the_first_start(place: Place) -> None:
    place.runs()
    place.restores(place.back_up())
    good, place.url = place.url, place.new_url()
    connect(place.url).dispose()
    assert "is empty" in refusal(place)
    place.url = good
    place.runs()


def test_the_same_backup_restored_by_another_state_folder_is_another(place: Place) -> None:
    place.runs()
    source = place.back_up()
    place.restores(source)
    place.runs()
    other = Place(place.folder / "other", "", place.server)
    other.folder.mkdir()
    other.restores(source)
    place.url = other.url
    assert "is not the one" in refusal(place)


def test_an_older_copy_of_a_restored_one_is_said(
    successor: Place, caplog: pytest.LogCaptureFixture
) -> None:
    copy = successor.copy()
    successor.runs()
    execute(successor, "DELETE FROM setting WHERE key = 'resend'")
    successor.put_back(copy)
    execute(successor, "DELETE FROM setting WHERE key = 'resend'")
    caplog.set_level(logging.ERROR)
    successor.runs(0)
    assert "it is older than when it was last used" in caplog.text
    assert successor.wants()


@pytest.mark.parametrize("statement", ["DELETE FROM setting WHERE key = 'restored'"])
def test_one_of_the_same_identity_without_the_mark_is_refused(
    successor: Place, statement: str
) -> None:
    """As notes and marks of a version that kept the identity of the backup."""
    execute(successor, statement)
    assert "is not the one that was restored last" in refusal(successor)
    (successor.state / FILE).unlink()
    successor.runs()


def test_a_restore_that_an_earlier_version_did_is_asked_about(place: Place) -> None:
    """It left the note as it was, and what is not known is not taken in silence."""
    place.runs()
    note = (place.state / FILE).read_bytes()
    place.restores(place.back_up())
    own = json.dumps({key: json.loads(note)[key] for key in ("identity", "number")})
    execute(place, f"UPDATE setting SET value = '{own}' WHERE key = 'identity'".replace(":", r"\:"))
    (place.state / FILE).write_bytes(note)
    assert "was restored, and this state folder does not know of it" in refusal(place)
    (place.state / FILE).unlink()
    place.runs()


def test_one_that_nobody_restored_here_refuses_anothers_that_was(
    successor: Place, tmp_path: Path
) -> None:
    other = Place(tmp_path / "other", f"sqlite:///{tmp_path}/other.sqlite")
    other.folder.mkdir()
    other.runs()
    other.url = successor.url
    assert "is not the one that this collector used" in refusal(other)


def test_one_that_stored_nothing_yet_refuses_anothers(place: Place, tmp_path: Path) -> None:
    place.runs()
    other = Place(tmp_path / "other", f"sqlite:///{tmp_path}/other.sqlite")
    other.folder.mkdir()
    other.runs(0)
    other.url = place.url
    assert "is not the one that this collector used" in refusal(other)


def test_a_restore_beside_a_running_collector_keeps_its_note(place: Place) -> None:
    place.runs()
    source = place.back_up()
    database = OwnDatabase(place.settings)
    place.restores(source)
    Store(database.engine).add([mood(seq=100)])
    with pytest.raises(UserError, match="now belongs to the database"):
        database.note_worker.run_once()
    database.end()
    place.runs()  # with the one that was restored


@pytest.mark.parametrize("kind", ["empty", "another"])
def test_a_state_folder_that_another_took_the_place_of_is_said(place: Place, kind: str) -> None:
    """As where a disk was unmounted under a running collector."""
    database = OwnDatabase(place.settings)
    place.state.rename(place.folder / "away")
    if kind == "another":
        other = Place(place.folder / "other", f"sqlite:///{place.folder}/other.sqlite")
        other.folder.mkdir()
        other.runs(1)
        other.state.rename(place.state)
    else:
        place.state.mkdir()
    before = {one.name: one.read_bytes() for one in place.state.iterdir()}
    Store(database.engine).add([mood(seq=1)])
    for _ in range(2):
        with pytest.raises(UserError, match="restart the collector"):
            database.note_worker.run_once()
    assert {one.name: one.read_bytes() for one in place.state.iterdir()} == before
    shutil.rmtree(place.state)
    (place.folder / "away").rename(place.state)
    database.note_worker.run_once()
    database.end()
    place.runs()


def test_it_is_said_though_nothing_new_is_stored(place: Place) -> None:
    database = OwnDatabase(place.settings)
    (place.state / FILE).unlink()
    with pytest.raises(UserError, match=f"{FILE} is gone"):
        database.note_worker.run_once()
    database.end()


GOOD = {"place": "p", "identity": "x", "number": 1, "restore": None}
ODD = {
    "number": ["1e999", "1.5", "-1", "true", "NaN", '"1"', "1" * 40, "1" * 5000],
    "restore": ['{"a": 1}', "[]", "5", "false"],
    "identity": ["null", '""', "5", "[]"],
    "place": ["null", "[]"],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name in ODD for v in ODD[name]])
def test_a_note_of_odd_values_is_damaged(name: str, value: str, tmp_path: Path) -> None:
    lines = [f'"{key}": {value if key == name else json.dumps(GOOD[key])}' for key in GOOD]
    (tmp_path / FILE).write_text("{" + ", ".join(lines) + "}")
    with pytest.raises(UserError, match="is damaged: delete it"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["[" * 60_000, "{" * 10, " " * 70_000 + "{}", "\udcff", ""])
def test_a_note_of_anything_else_is_damaged(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match="is damaged: delete it"):
        read(tmp_path)


def test_a_note_without_the_number_of_a_restore_is_damaged(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"place": "p", "identity": "x", "number": 1}')
    with pytest.raises(UserError, match="is damaged"):
        read(tmp_path)


@pytest.mark.parametrize("value", ["5", "[]", '{"identity": 1, "number": 1}', '{"number": 1}', "{"])
def test_a_damaged_mark_in_the_database_makes_an_older_copy_of_it(
    tmp_path: Path, value: str
) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")
    place.runs()
    execute(
        place, f"UPDATE setting SET value = '{value}' WHERE key = 'identity'".replace(":", r"\:")
    )
    place.runs(0)
    assert place.wants()


def test_the_command_notes_it_too(successor: Place) -> None:
    """By whoever calls it, for the state folder that the settings name."""
    source = successor.back_up()
    successor.url = successor.new_url()
    config = successor.folder / "c.yaml"
    config.write_text(json.dumps({"database": successor.url, "state": str(successor.state)}))
    words = ["restore", "--config", str(config), "--from", str(source)]
    answer = CliRunner().invoke(collector, words, catch_exceptions=False)
    assert not answer.exit_code
    assert (successor.state / FILE).stat().st_uid == (successor.state / KEY_FILE).stat().st_uid
    note = read(successor.state)
    assert note is not None
    assert note.place.partition("@")[2] == successor.url.partition("@")[2]
    successor.runs()
