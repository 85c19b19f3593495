from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from collector.cli import collector
from collector.lessons.repository import LessonRepository
from collector.storage.database import connect
from collector.storage.store import Store
from edge.common.errors import UserError
from tests.conftest import mood
from tests.free import free_port

PASSWORD = "correct horse battery"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "collector.yaml"
    settings = {"database": f"sqlite:///{tmp_path}/c.sqlite", "state": "state"}
    path.write_text(yaml.safe_dump(settings))
    return path


def call(config: Path, *arguments: str, stdin: str = "") -> Result:
    command = [*arguments, "--config", str(config)]
    return CliRunner().invoke(collector, command, input=stdin, standalone_mode=False)


def add(config: Path, name: str, role: str, *more: str, password: str = PASSWORD) -> Result:
    options = ("--role", role, "--password-stdin", *more)
    return call(config, "account", "add", name, *options, stdin=f"{password}\n")


def test_accounts_by_command(config: Path) -> None:
    assert add(config, "ann", "administrator").output == "ann: administrator\n"
    add(config, "tess", "teacher", "--room", "school/r101", "--room", "school/r102")
    output = call(config, "account", "list").output
    assert output == "ann\tadministrator\t\ntess\tteacher\tschool/r101 school/r102\n"
    rows = [
        json.loads(line) for line in call(config, "account", "list", "--json").output.splitlines()
    ]
    assert rows[1] == {"name": "tess", "role": "teacher", "rooms": ["school/r101", "school/r102"]}
    call(config, "account", "password", "tess", "--password-stdin", stdin="another password\n")
    call(config, "account", "remove", "tess")
    assert "tess" not in call(config, "account", "list").output
    entry = json.loads(call(config, "audit", "show", "--json", "--limit", "1").output)
    assert (entry["number"], entry["what"], entry["about"]) == (4, "account removed", "tess")
    log = call(config, "audit", "show").output.splitlines()
    assert [line.split("\t")[3] for line in log] == [
        *("account removed", "password changed", "account made", "account made"),
    ]


@pytest.mark.parametrize(
    ("name", "role", "more", "password", "outcome"),
    [
        ("eve", "king", (), PASSWORD, "not a role: choose administrator, it, teacher"),
        ("eve", "teacher", ("--room", "r101"), PASSWORD, "write site/room"),
        ("eve", "teacher", (), "short", "10 to 256 characters"),
        ("ann", "teacher", (), PASSWORD, "choose another name"),
        ("<b>", "teacher", (), PASSWORD, "not a valid account name"),
    ],
)
def test_an_account_that_cannot_be(
    config: Path, name: str, role: str, more: tuple[str, ...], password: str, outcome: str
) -> None:
    add(config, "ann", "administrator")
    result = add(config, name, role, *more, password=password)
    assert isinstance(result.exception, UserError)
    assert outcome in str(result.exception)
    assert call(config, "account", "list").output == "ann\tadministrator\t\n"


def test_the_log_is_verified_by_command(config: Path, tmp_path: Path) -> None:
    add(config, "ann", "administrator")
    good = call(config, "audit", "verify")
    assert (good.return_value, good.output) == (
        0,
        "audit log: 1 entries; none changed, added or missing\n",
    )
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_keeps_UPDATE")
        connection.exec_driver_sql("UPDATE audit SET about = 'eve, teacher'")
    engine.dispose()
    bad = call(config, "audit", "verify")
    assert bad.return_value == 1
    assert "entry 1 was changed" in bad.output


def test_backup_erase_and_restore_by_command(config: Path, tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    Store(engine).add([mood(seq=n) for n in range(5)])
    start = mood().start.timestamp()
    lesson = LessonRepository(engine).begin("school", "r101", "Optics", "button", start=start)
    assert lesson is not None
    LessonRepository(engine).end(lesson, start + 60)
    engine.dispose()
    add(config, "ann", "administrator")
    out = tmp_path / "school.tar.gz"
    assert "mood 5" in call(config, "backup", "--out", str(out)).output
    assert "5 windows deleted\n" in call(config, "erase", "--lesson", str(lesson.id)).output
    assert isinstance(call(config, "erase", "--lesson", "99").exception, UserError)
    assert isinstance(call(config, "erase").exception, UserError)
    error = call(config, "restore", "--from", str(out)).exception
    assert isinstance(error, UserError)
    assert "not empty: let 'database' name a new one" in str(error)

    (tmp_path / "new").mkdir()
    other = tmp_path / "new" / "collector.yaml"
    settings = {"database": f"sqlite:///{tmp_path}/new/c.sqlite", "state": "state"}
    other.write_text(yaml.safe_dump(settings))
    assert "rows restored" in call(other, "restore", "--from", str(out)).output
    assert call(other, "account", "list").output == "ann\tadministrator\t\n"
    missing = call(other, "erase", "--room", "school/r110").exception
    assert isinstance(missing, UserError)
    assert "there is no such room: did you mean school/r101?" in str(missing)
    assert call(other, "audit", "verify").return_value == 0
    assert "backup restored" in call(other, "audit", "show").output
    assert (
        "school/r101: 5 windows deleted\n" in call(other, "erase", "--room", "school/r101").output
    )
    # As after a first time that was killed near its end.
    again = call(other, "erase", "--room", "school/r101")
    assert "school/r101: 0 windows deleted\n" in again.output


def test_check_reads_the_timetable_too(config: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(config.read_text()) | {"school": {"timetable": "t.csv"}}
    config.write_text(yaml.safe_dump(settings))
    error = call(config, "check").stderr
    assert "t.csv: cannot be read (No such file or directory): check 'school.timetable'" in error
    (tmp_path / "t.csv").write_text("day,start,end,room,title\nMonday,08:00,08:45,r101,Optics\n")
    assert "timetable: ok: 1 lessons in the coming week" in call(config, "check").stdout
    assert "timetable: in r101; where a device's room has another name" in (
        call(config, "check").stdout
    )
    rows = "".join(f"Monday,08:00,08:45,A.{number},Optics\n" for number in range(100, 140))
    (tmp_path / "t.csv").write_text(f"day,start,end,room,title\n{rows}")
    assert "timetable: in a-100, a-101, " in (output := call(config, "check").stdout)
    assert ", a-129 and 10 more; where" in output


def test_check_refuses_an_address_that_begins_as_a_page_does(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    for path, is_free in (("/lessons", False), ("/static/x", False), ("/mood/lessons", True)):
        web = {"url": f"https://school.example{path}"}
        config.write_text(yaml.safe_dump(settings | {"web": web}))
        error = call(config, "check").stderr
        assert ("web.url: its path begins with" in error) != is_free


def test_check_tries_the_broker_though_the_database_is_missing(config: Path) -> None:
    port = free_port()
    settings = {"database": f"postgresql://127.0.0.1:{port}/x", "broker": {"port": port}}
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | settings))
    result = call(config, "check")
    assert f"broker: 127.0.0.1:{port}: nothing accepts connections there" in result.output
    assert "check 'database'" in result.stderr
    assert result.return_value == 2


@pytest.mark.parametrize("place", ["c.sqlite", "c.sqlite-wal", "state/secret.key"])
def test_no_backup_takes_the_place_of_what_it_is_of(
    config: Path, tmp_path: Path, place: str
) -> None:
    settings = yaml.safe_load(config.read_text())
    settings |= {"database": f"sqlite:///{tmp_path}/c.sqlite", "state": str(tmp_path / "state")}
    config.write_text(yaml.safe_dump(settings))
    add(config, "ann", "administrator")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    error = call(config, "backup", "--out", str(tmp_path / place)).exception
    assert isinstance(error, UserError)
    assert error.what == "is one of the collector's own files"
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before
