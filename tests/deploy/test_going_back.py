"""An upgrade of the collector that does not run brings the data back with the version."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.storage.database import connect
from tests.conftest import ROOT

pytestmark = pytest.mark.once

SCRIPT = """
root=$1 part=collector
. "$root/deploy/install.sh"
home=$2/state settings=$2
. "$root/deploy/data.sh"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A collector that has stopped, its settings, and a systemctl that notes what it is asked."""
    (tmp_path / "state").mkdir()
    database = f"sqlite:///{tmp_path}/state/collector.sqlite"
    (tmp_path / "collector.yaml").write_text(
        yaml.safe_dump({"database": database, "state": str(tmp_path / "state")})
    )
    engine = connect(database)
    Accounts(engine).add("ann", "administrator", (), "correct horse battery")
    AuditLog(engine, tmp_path / "state", own_key(tmp_path / "state")).add("ann", "began", "")
    engine.dispose()
    version = tmp_path / "version" / "bin"
    version.mkdir(parents=True)
    roommood = version / "roommood"
    roommood.write_text(f'#!/bin/sh\nexec {sys.executable} -m deploy.commands.cli "$@"\n')
    tools = tmp_path / "tools"
    tools.mkdir()
    systemctl = tools / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/requests\n')
    for program in (roommood, systemctl):
        program.chmod(0o755)
    return tmp_path


def shell(machine: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    script = SCRIPT + "\n".join(lines)
    return subprocess.run(
        ["bash", "-euc", script, "x", str(ROOT), str(machine)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PATH": f"{machine}/tools:{os.environ['PATH']}"},
        check=False,
    )


def test_what_a_newer_version_made_of_the_database_is_undone(machine: Path) -> None:
    result = shell(machine, 'keep_data "$2/version"')
    assert result.returncode == 0, result.stderr
    database = machine / "state" / "collector.sqlite"
    with closing(sqlite3.connect(database)) as connection:  # as a newer version's migration does
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("DELETE FROM account")
        connection.commit()
    (machine / "state" / "audit.head").write_text("99 x\n")
    (machine / "state" / "erasures.jsonl").write_text("")  # what was erased meanwhile stays noted
    result = shell(machine, 'bring_back "$2/version"')
    assert result.returncode == 0, result.stderr
    engine = connect(f"sqlite:///{database}")
    assert [one.name for one in Accounts(engine).all()] == ["ann"]
    log = AuditLog(engine, machine / "state", own_key(machine / "state"))
    assert list(log.wrong()) == []
    engine.dispose()
    assert (machine / "state" / "erasures.jsonl").exists()
    assert "devices are asked" in result.stdout + result.stderr
    requests = (machine / "requests").read_text().splitlines()
    assert requests == ["stop roommood-collector.service"] * 2


def test_where_no_copy_can_be_made_nothing_is_changed(machine: Path) -> None:
    copy = machine / "tools" / "cp"
    copy.write_text("#!/bin/sh\necho 'cp: no space left on device' >&2\nexit 1\n")
    copy.chmod(0o755)
    result = shell(machine, 'keep_data "$2/version"')
    assert result.returncode == 2
    assert "Nothing was changed" in result.stderr
    assert (machine / "requests").read_text().splitlines()[-1] == "start roommood-collector.service"


def test_the_installer_keeps_the_data_before_it_switches() -> None:
    text = (ROOT / "deploy" / "install-collector").read_text()
    assert text.index('keep_data "$before"') < text.index('switch_to "$folder"')
    assert text.index("go_back") < text.index('bring_back "$before"')
