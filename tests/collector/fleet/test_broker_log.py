"""Lines as Mosquitto 2.0 writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from collector.access.audit import AuditLog
from collector.fleet import broker_log
from collector.fleet.broker_log import BrokerLog
from collector.storage.database import connect
from tests.free import wait

LINES = """\
1795276210: New connection from 10.0.0.9:51247 on port 8883.
1795276210: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed
1795276210: Client <unknown> disconnected: Protocol error.
1795276211: Received PUBLISH from r101 (d0, q1, r0, m1, 'roommood/v1/s/r101/mood', ... (9 bytes))
1795276211: Denied PUBLISH from r101 (d0, q1, r1, m2, 'roommood/v1/s/r102/mood', ... (1 bytes))
1795276212: Dropped too large PUBLISH from r103 (d0, q1, r0, m1, 'roommood/v1/s/r103/mood', ...)
1795276213: OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading
1795276214: Client connection from 10.0.0.8 failed: \
error:0A000102:SSL routines::unsupported protocol.
1795276214: Client connection from 10.0.0.8 failed: \
error:0A000126:SSL routines::unexpected eof while reading.
"""
REJECTIONS = [
    ("10.0.0.9", "connection refused", "certificate verify failed"),
    ("r101", "topic refused", "roommood/v1/s/r102/mood"),
    ("r103", "message too large", "roommood/v1/s/r103/mood"),
    ("10.0.0.8", "connection refused", "unsupported protocol"),
]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(f"sqlite:///{tmp_path}/c.sqlite")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The log's file, with a line of before."""
    file = tmp_path / "broker.log"
    file.write_text("1: Denied PUBLISH from old (d0, 'x', ... (1 bytes))\n")
    return file


@pytest.fixture
def audit(tmp_path: Path, engine: Engine) -> AuditLog:
    return AuditLog(engine, tmp_path, bytes(32))


@pytest.fixture
def log(path: Path, audit: AuditLog) -> BrokerLog:
    return BrokerLog(path, audit)


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_refusals_are_told_once_and_ordinary_lines_not(log: BrokerLog, path: Path) -> None:
    write(path, LINES)
    assert list(log.news()) == REJECTIONS
    assert list(log.news()) == []


def test_a_line_that_is_half_written_is_waited_for(log: BrokerLog, path: Path) -> None:
    half = LINES.index("Denied") + 20
    write(path, LINES[:half])
    assert list(log.news()) == REJECTIONS[:1]
    write(path, LINES[half:])
    assert list(log.news()) == REJECTIONS[1:]


def test_a_log_that_grows_large_is_emptied_and_read_on(
    log: BrokerLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_log, "LARGEST", 400)
    write(path, LINES)
    assert list(log.news()) == REJECTIONS
    assert path.stat().st_size == 0
    write(path, LINES)
    assert list(log.news()) == REJECTIONS


def test_a_log_that_was_rotated_or_is_missing(log: BrokerLog, path: Path) -> None:
    write(path, LINES)
    list(log.news())
    path.unlink()
    assert list(log.news()) == []
    write(path, LINES)
    assert list(log.news()) == REJECTIONS


def test_what_could_not_be_written_down_is_told_later(
    log: BrokerLog, path: Path, audit: AuditLog, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    log.start()
    write(path, LINES)
    wait(lambda: "broker's log: " in caplog.text)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO audit"))
    wait(lambda: len(audit) == len(REJECTIONS))
    log.stop()
    entries = [(entry.who, entry.what, entry.about) for entry in audit.newest()]
    assert entries == REJECTIONS[::-1]
