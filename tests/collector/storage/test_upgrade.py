"""An upgrade that is killed, at whatever statement, is an upgrade that has not begun."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from collector.storage.database import MIGRATIONS, NEWEST, connect
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
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) > 3
    assert set(lines) == {"ok"}


def test_the_revision_that_is_written_down_is_the_newest() -> None:
    """A start compares it without Alembic."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


NOT_AT_A_START = ["alembic", "authlib", "httpx", "matplotlib", "pyarrow", "segno", "weasyprint"]
"""What an upgrade, a webhook, a sign-on, a report or an invitation needs, and no start."""


def test_a_start_reads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    """Reading libraries is most of what a start costs."""
    script = f"""
import json, sys
from collector.config import CollectorSettings
from collector.service import Service
settings = {{"database": "sqlite:///{tmp_path}/c.sqlite", "state": "{tmp_path}/s"}}
settings["web"] = {{"port": 0}}
service = Service(CollectorSettings.model_validate(settings))
service.start()
service.stop()
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
    connect(f"sqlite:///{tmp_path}/c.sqlite").dispose()  # up to date, as at most starts
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    read = set(json.loads(run.stdout.splitlines()[-1]))
    assert "fastapi" in read
    assert read.isdisjoint(NOT_AT_A_START)
