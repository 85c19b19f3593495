"""A backup, a restore or an erasure that is killed, at whatever step, goes on or begins anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.once
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "what",
    [
        "backup",
        "erase",
        "restore, then restore",
        "restore, then start",
        "start",
    ],
)
def test_nothing_is_lost_and_nothing_erased_returns(
    what: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "postgresql" and what == "restore, then restore":
        pytest.skip("what it does to files is tried with SQLite")
    urls = [f"sqlite:///{tmp_path}/{name}.sqlite" for name in ("source", "other")]
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        urls = [server.fresh(), server.fresh()]
    module = "tests.collector.storage.kill_retention"
    command = [sys.executable, "-m", module, what, str(tmp_path), *urls]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not run.returncode, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) > 3
    assert set(lines) == {"ok"}
