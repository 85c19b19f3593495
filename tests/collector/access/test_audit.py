from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from collector.access.audit import AuditLog
from collector.access.audit_note import FILE as HEAD
from collector.access.secret import FILE, own_key
from collector.storage.database import connect
from edge.common.errors import UserError


@pytest.fixture
def audit(engine: Engine, tmp_path: Path) -> AuditLog:
    log = AuditLog(engine, tmp_path, own_key(tmp_path))
    for number in range(5):
        log.add("ann", "sign-in", f"from place {number}")
    return log


def rewrite(engine: Engine, statement: str) -> None:
    """As somebody does who may do anything with the database: the trigger goes first."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_keeps_UPDATE"))
            connection.execute(text("DROP TRIGGER audit_keeps_DELETE"))
        else:
            connection.execute(text("DROP TRIGGER audit_keeps ON audit"))
            connection.execute(text("DROP TRIGGER audit_keeps_newer ON audit"))
        connection.execute(text(statement))


def test_a_log_that_nobody_touched_is_whole(audit: AuditLog) -> None:
    assert list(audit.wrong()) == []
    assert [entry.about for entry in audit.newest(2)] == ["from place 4", "from place 3"]
    assert [entry.number for entry in audit.newest(before=3)] == [2, 1]


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'eve'", "DELETE FROM audit"])
def test_the_database_refuses_changes(engine: Engine, audit: AuditLog, change: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))
    assert len(audit) == 5


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("UPDATE audit SET who = 'eve' WHERE number = 3", "entry 3 was changed"),
        ("UPDATE audit SET at = at + 1 WHERE number = 5", "entry 5 was changed"),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE number > 3", "entries 4 to 5 were cut off"),
        ("DELETE FROM audit", "entries 1 to 5 were cut off"),
        (
            "INSERT INTO audit (number, at, who, what, about, hash) "
            "SELECT 6, at, who, what, about, hash FROM audit WHERE number = 5",
            "entry 6 was changed, or was not made by this collector",
        ),
        *(
            (f"INSERT INTO audit VALUES ({n}, 1.0, 'eve', 'x', 'y', '00')", f"entry {n} was added")
            for n in (0, -9)
        ),
        ("UPDATE audit SET about = x'ff' WHERE number = 4", "entry 4 was changed"),
        ("UPDATE audit SET hash = x'ff' WHERE number = 5", "entry 5 was changed"),
    ],
)
def test_tampering_shows(engine: Engine, audit: AuditLog, change: str, outcome: str) -> None:
    rewrite(engine, change)
    assert outcome in "\n".join(audit.wrong())


def test_the_length_noted_beside_the_key_is_missed_when_it_is_gone(
    audit: AuditLog, tmp_path: Path
) -> None:
    (tmp_path / HEAD).unlink()
    assert "cannot be told" in next(audit.wrong())


def test_who_still_looks_is_told_once(audit: AuditLog) -> None:
    for _ in range(3):
        audit.add_view("tess", "room viewed", "school/r101")
    audit.add_view("tess", "room viewed", "school/r102")
    assert len(audit) == 7


def test_the_key_is_for_the_collector_alone(tmp_path: Path) -> None:
    key = own_key(tmp_path / "state")
    assert own_key(tmp_path / "state") == key
    file = tmp_path / "state" / FILE
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(b"short")
    with pytest.raises(UserError, match="not a key of 32 bytes"):
        own_key(tmp_path / "state")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="check 'state'"):
        own_key(tmp_path / "file" / "state")


def test_a_collector_and_commands_beside_it_write_one_log(tmp_path: Path) -> None:
    """Logs of their own, as processes have them: the chain holds, and nothing is lost."""
    url = f"sqlite:///{tmp_path}/c.sqlite"
    logs = [AuditLog(connect(url), tmp_path, bytes(32)) for _ in range(4)]

    def write(log: AuditLog) -> None:
        for number in range(50):
            log.add("somebody", "did something", str(number))

    threads = [threading.Thread(target=write, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logs[0]) == 200
    assert [line for line in logs[0].wrong() if "cut off" not in line] == []
