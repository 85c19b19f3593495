"""A second collector on one database is refused in words; the audit log stays whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.cli import collector
from collector.retention.backup import backup
from collector.storage import sole_use
from collector.storage.database import connect
from collector.storage.sole_use import SoleUse
from edge.common.errors import UserError
from tests.collector.school import School
from tests.conftest import ROOT
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    return f"sqlite:///{tmp_path}/c.sqlite" if request.param == "sqlite" else postgres.fresh()


def test_a_second_collector_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SoleUse.__init__, "__defaults__", (0.0,))
    with School(tmp_path, database=url) as school:
        with pytest.raises(UserError, match="another collector is using it"):
            School(tmp_path, database=url, state=tmp_path / "other")
        key = own_key(school.settings.state)
        assert list(AuditLog(school.engine, school.settings.state, key).wrong()) == []
    with School(tmp_path, database=url):  # one after the other is as ever
        pass


def test_nothing_is_restored_under_a_running_collector(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SoleUse.__init__, "__defaults__", (0.0,))
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump({"database": url, "state": f"{tmp_path}/state"}))
    with School(tmp_path, database=url) as school:
        backup(school.engine, school.settings.state, tmp_path / "b.tar.gz")
        arguments = ["restore", "--config", str(config), "--from", f"{tmp_path}/b.tar.gz"]
        error = CliRunner().invoke(collector, arguments).exception
    assert isinstance(error, UserError)
    assert "another collector is using it" in str(error)


HOLDER = """
import sys, time
from collector.storage.database import connect
from collector.storage.sole_use import SoleUse
use = SoleUse(connect(sys.argv[1]))
print("has it", flush=True)
time.sleep(600)
"""


def test_one_that_is_killed_leaves_nothing_behind(url: str) -> None:
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"has it\n"
        engine = connect(url)
        with pytest.raises(UserError, match="another collector"):
            SoleUse(engine, 0.0)
        os.kill(holder.pid, signal.SIGKILL)
    SoleUse(engine, 60.0).end()
    engine.dispose()


def test_a_session_that_the_server_ended_is_taken_anew(postgres: Postgres) -> None:
    engine: Any = connect(postgres.fresh())
    use = SoleUse(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks "
            "WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    other = connect(engine.url.render_as_string(hide_password=False))
    use.keep()
    with pytest.raises(UserError, match="another collector"):
        SoleUse(other, 0.0)
    use.end()
    assert sole_use.NUMBER
    other.dispose()
    engine.dispose()
