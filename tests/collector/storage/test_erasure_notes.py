"""The list of erasures: a line that says nothing, or what cannot be, is never passed over in
silence, and keeps nothing from working."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from collector.cli import collector
from collector.config import CollectorSettings
from collector.retention.erasing import apply_notes, erase_room
from collector.service import Service
from collector.storage.database import connect
from collector.storage.erasure_notes import FILE, Erasure, ErasureNotes, read_notes
from collector.storage.erasures import Erasures
from collector.storage.store import Store
from collector.storage.tables import erasures as erasure_table
from collector.storage.tables import moods
from edge.common.errors import UserError
from edge.protocol.erasure import commands
from tests.conftest import mood
from tests.free import free_port, wait

ONE = Erasure("school", "r101", 0.0, 1.8e9)
BOOT = "0e8e5f5e-3f0c-4d5b-9a6e-3f1f4be2a001"

ABSURD: dict[str, dict[str, Any]] = {
    "no number": {"end": "NaN"},
    "past all times": {"end": 1e300},
    "before all times": {"begin": -1e300},
    "an end before its begin": {"begin": 2e9},
    "a number of 20 digits": {"boot": BOOT, "seq": 10**19},
    "a number below none": {"boot": BOOT, "seq": -1},
    "a run without a number": {"boot": BOOT},
    "a number without a run": {"seq": 7},
    "a run that is none": {"boot": "b" * 60, "seq": 7},
    "a site of 100 letters": {"site": "s" * 100},
    "half a character": {"room": "\ud800"},
    "what no database takes": {"room": "r\x00"},
    "a field too many": {"until": 5},
    "true for a time": {"end": True},
}
TEXTS = {
    **{what: json.dumps(ONE._asdict() | fields) for what, fields in ABSURD.items()},
    "infinity": json.dumps(ONE._asdict()).replace("1800000000.0", "1e999"),
    "not a number": json.dumps(ONE._asdict()).replace("1800000000.0", "NaN"),
    "a letter changed": json.dumps(ONE._asdict()).replace('"end"', '"eod"'),
    "deep": "[" * 100_000,
    "no JSON": "root:x:0",
    "another thing": '{"a": 1}',
}
pytestmark = pytest.mark.once


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").fresh())
    return f"sqlite:///{tmp_path}/c.sqlite"


def write(folder: Path, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / FILE
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def line(one: Erasure = ONE) -> str:
    return json.dumps(one._asdict())


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_line_that_cannot_be_is_named_and_costs_no_other(tmp_path: Path, text: str) -> None:
    other = ONE._replace(room="r102")
    content = read_notes(write(tmp_path, line(), text, line(other)))
    assert content.erasures == [ONE, other]
    assert [one.number for one in content.unreadable] == [2]
    assert content.problem.startswith("line 2 (")
    assert ": " not in content.problem


def test_many_lines_are_named_by_the_first(tmp_path: Path) -> None:
    content = read_notes(write(tmp_path, *["x"] * 9, line()))
    assert content.problem.endswith("line 3 (no JSON) and 6 more cannot be read")


def test_the_lines_of_earlier_versions_are_read(tmp_path: Path) -> None:
    """Without runs; and a whole number of seconds."""
    path = write(tmp_path, '{"site": "school", "room": "r101", "begin": 0, "end": 1800000000}')
    assert read_notes(path).erasures == [ONE]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_a_crash_cut_short_is_none_even_when_others_follow(
    tmp_path: Path, cut: int
) -> None:
    notes, other = ErasureNotes(tmp_path), ONE._replace(room="r102")
    notes.add([ONE])
    with notes.path.open("a") as file:
        file.write(line()[:cut])
    assert notes.whole() == [ONE]
    notes.add([other])
    assert notes.whole() == [ONE, other]


def test_a_line_that_lacks_its_end_alone_counts(tmp_path: Path) -> None:
    notes, other = ErasureNotes(tmp_path), ONE._replace(room="r102")
    notes.path.write_text(line())
    assert notes.whole() == [ONE]
    notes.add([other])
    assert notes.whole() == [ONE, other]


def test_what_cannot_be_read_stays_where_times_are_mended(tmp_path: Path) -> None:
    notes = ErasureNotes(tmp_path)
    path = write(tmp_path, "x", line())
    notes.replace({ONE: ONE._replace(end=5.0)})
    assert path.read_text().splitlines() == ["x", line(ONE._replace(end=5.0))]


def test_a_start_goes_on_with_the_others(url: str, tmp_path: Path) -> None:
    """What is said to devices too."""
    state = tmp_path / "state"
    write(state, *TEXTS.values(), line())
    engine = connect(url)
    Store(engine).add([mood(seq=n) for n in range(3)] + [mood(room="r102")])
    erasures = Erasures(engine, state)
    assert apply_notes(erasures) == 3
    assert "line 1" in erasures.problem
    assert commands(erasures.spans("school", "r101"))
    assert Store(engine).rooms() == [("school", "r102")]
    engine.dispose()


def test_rows_of_erasures_that_cannot_be_cost_no_other(url: str, tmp_path: Path) -> None:
    """Somebody changed them, or an earlier version took them from the list."""
    engine = connect(url)
    erasures = Erasures(engine, tmp_path)
    erase_room(erasures, "school", "r101")
    erase_room(erasures, "school", "r102")
    with engine.begin() as connection:
        where = erasure_table.c.room == "r102"
        connection.execute(update(erasure_table).where(where).values(end=1e300))
    erasures = Erasures(engine, tmp_path)
    assert [one.room for one in erasures.read()] == ["r101"]
    apply_notes(erasures)
    assert {one.room for one in erasures.read()} == {"r101", "r102"}  # from the list
    assert ErasureNotes(tmp_path).whole()
    engine.dispose()


def test_the_running_collector_and_check_say_it(url: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    write(state, line(), "x")
    settings = {
        "database": url,
        "state": state,
        "web": {"port": 0},
        "broker": {"port": free_port()},
    }
    service = Service(CollectorSettings.model_validate(settings))
    service.start()
    try:
        wait(lambda: is_listening(service.url))
        answer = httpx.get(f"{service.url}/healthz", timeout=60)
    finally:
        service.stop()
    assert answer.status_code == 503
    assert "line 2 (no JSON) cannot be read" in answer.json()["workers"]["erasures"]
    result = call(tmp_path, url, state, "check")
    assert result.return_value == 2
    assert "line 2 (no JSON) cannot be read: put a whole copy back" in result.stderr


def is_listening(url: str) -> bool:
    try:
        httpx.get(url, timeout=60)
    except httpx.ConnectError:
        return False
    return True


def call(folder: Path, url: str, state: Path, *words: Any) -> Result:
    config = folder / "call.yaml"
    config.write_text(yaml.safe_dump({"database": url, "state": str(state)}))
    command = [*map(str, words), "--config", str(config)]
    return CliRunner().invoke(collector, command, standalone_mode=False)


WRONG = {
    "another file": "root:x:0\n",
    "an empty one": "",
    "another thing": '{"a": 1}\n',
    "a letter changed": line().replace('"end"', '"eod"') + "\n",
    "a line in the middle": f"{line()}\nx\n{line()}\n",
}


@pytest.mark.parametrize(
    ("where", "content"),
    [*(("given", one) for one in WRONG), ("beside", "another file"), ("own", "a letter changed")],
)
def test_restore_refuses_a_list_that_is_not_whole(tmp_path: Path, where: str, content: str) -> None:
    """Whichever of the three it is; nothing is restored then."""
    url = f"sqlite:///{tmp_path}/c.sqlite"
    engine = connect(f"sqlite:///{tmp_path}/old.sqlite")
    Store(engine).add([mood(seq=n) for n in range(3)])
    engine.dispose()
    file = tmp_path / "backups" / "b.tar.gz"
    file.parent.mkdir()
    old = call(
        tmp_path, f"sqlite:///{tmp_path}/old.sqlite", tmp_path / "o", "backup", "--out", file
    )
    assert old.exception is None
    places = {"given": tmp_path / "list", "beside": file.parent / FILE}
    wrong_list = places.get(where, tmp_path / "state" / FILE)
    wrong_list.parent.mkdir(exist_ok=True)
    wrong_list.write_text(WRONG[content])
    words = ["--erasures", wrong_list] if where == "given" else []
    result = call(tmp_path, url, tmp_path / "state", "restore", "--from", file, *words)
    assert isinstance(result.exception, UserError)
    assert result.exception.where == str(wrong_list)
    assert "line" in result.exception.what
    engine = connect(url)
    with engine.connect() as connection:
        assert not connection.execute(select(moods.c.id)).all()
    engine.dispose()
    wrong_list.write_text(line() + "\n")
    result = call(tmp_path, url, tmp_path / "state", "restore", "--from", file, *words)
    assert result.exception is None
