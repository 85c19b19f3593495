"""A backup that is killed, at whatever step: the good ones stay, and the next run works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.postgres import Postgres


@pytest.mark.once
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_kill_costs_a_good_one(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/c.sqlite"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.with_tables()
    module = "tests.collector.backups.kill_backup"
    command = [sys.executable, "-m", module, str(tmp_path), url]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not run.returncode, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) > 20
    assert set(lines) == {"ok"}
