"""A second collector on one database is refused in words; the audit log stays whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.cli import collector
from collector.retention.backup import backup
from collector.storage import sole_use
from collector.storage.database import connect
from collector.storage.sole_use import NotHeld, SoleUse
from collector.storage.store import Store
from edge.common.errors import UserError
from edge.protocol.messages import Mood
from tests.collector.school import School
from tests.conftest import ROOT, mood
from tests.free import wait
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


def test_who_is_still_storing_at_the_end_has_the_database_to_itself(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the end of the process, which does not wait for it."""
    monkeypatch.setattr(SoleUse.__init__, "__defaults__", (0.0,))
    is_storing, may_store = threading.Event(), threading.Event()

    def add(_store: Store, _windows: Any) -> list[Mood]:
        is_storing.set()
        may_store.wait(60)
        return []

    monkeypatch.setattr(Store, "add", add)
    with School(tmp_path, database=url) as school:
        writer = school.service.ingest.writer
        monkeypatch.setattr(writer, "_ends_in_s", 0.1)
        writer.put(mood())
        assert is_storing.wait(60)
    other = connect(url)
    with pytest.raises(UserError, match="another collector is using it"):
        SoleUse(other)
    may_store.set()
    wait(lambda: not writer.is_alive)
    school.service.database.end()
    SoleUse(other).end()
    other.dispose()


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
    other.dispose()
    engine.dispose()


def test_a_session_that_we_gave_up_and_the_server_did_not_is_no_other_collector(
    postgres: Postgres,
) -> None:
    engine = connect(postgres.fresh())
    use = SoleUse(engine)
    still_there, use.session = use.session, None
    use.keep()
    assert still_there is not None
    with pytest.raises(OperationalError):
        still_there.execute(text("SELECT 1"))
    use.end()
    engine.dispose()


def test_what_is_lost_is_tried_for_until_it_is_had_again(postgres: Postgres) -> None:
    engine = connect(postgres.fresh())
    use = SoleUse(engine)
    postgres.stop()
    for _ in range(2):
        with pytest.raises(NotHeld, match="not ours alone until it is back"):
            use.keep()
    postgres.start()

    def is_kept() -> bool:
        with contextlib.suppress(NotHeld):  # the server is starting up
            use.keep()
            return True
        return False

    wait(is_kept)
    with pytest.raises(UserError, match="another collector is using it"):
        SoleUse(engine, 0.0)
    use.end()
    engine.dispose()


def test_what_another_collector_has_taken_stays_its_own(postgres: Postgres) -> None:
    """Even after its end: what it wrote is not known here."""
    engine = connect(postgres.fresh())
    use = SoleUse(engine)
    with engine.connect() as connection:
        connection.execute(sole_use.END_SESSION, use.session_id)
    other = SoleUse(engine, 5.0)
    with pytest.raises(UserError, match=r"took it over.*: stop that one, or give"):
        use.keep()
    other.end()
    with pytest.raises(UserError, match="took it over"):
        use.keep()
    use.end()
    engine.dispose()
