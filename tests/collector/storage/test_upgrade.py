"""An upgrade that is killed, at whatever statement, is an upgrade that has not begun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.once
@pytest.mark.parametrize(
    ("kind", "start"),
    [("sqlite", "base"), ("sqlite", "0001"), ("sqlite", "0003"), ("postgresql", "0003")],
)
def test_the_next_start_works_wherever_the_last_was_killed(
    kind: str, start: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/c.sqlite"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    command = [sys.executable, "-m", "tests.collector.storage.kill_upgrade", url, start]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = told.stdout.splitlines()
    assert len(lines) > 3
    assert set(lines) == {"ok"}
