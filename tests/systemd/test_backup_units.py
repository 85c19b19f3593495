"""The timer of backups: when it fires, and that what it runs is the service's alone."""

from __future__ import annotations

import re
import subprocess

import pytest
from click.testing import CliRunner

from collector.backup_settings import INSTALLED_FOLDER, INSTALLED_STATE
from deploy.commands.cli import roommood
from tests.conftest import ROOT

pytestmark = pytest.mark.once

UNITS = ROOT / "systemd"


def values(unit: str, name: str) -> list[str]:
    return re.findall(rf"(?m)^{name}=(.*)$", (UNITS / unit).read_text())


def test_it_fires_each_night_and_makes_up_for_one_that_was_missed() -> None:
    (when,) = values("roommood-backup.timer", "OnCalendar")
    result = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", when],
        capture_output=True,
        text=True,
        check=True,
    )
    days = re.findall(r"(\d{4}-\d\d-\d\d) 02:15:00", result.stdout)
    assert len(set(days)) == 3
    assert values("roommood-backup.timer", "Persistent") == ["yes"]
    assert values("roommood-backup.timer", "RandomizedDelaySec") == ["1h"]


@pytest.mark.parametrize("unit", ["roommood-backup.service", "roommood-erasures.service"])
def test_it_runs_a_command_that_there_is_as_the_service_s_user(unit: str) -> None:
    (command,) = values(unit, "ExecStart")
    words = command.split()[1:]
    result = CliRunner().invoke(roommood, [*words[:-1], "/nowhere/c.yaml"])
    assert result.exception is not None
    assert "/nowhere/c.yaml" in f"{result.exception}"  # all but the file is understood
    assert values(unit, "User") == values("roommood-collector.service", "User")
    assert values(unit, "UMask") == ["0077"]


def test_the_folder_is_made_for_it_alone_and_is_the_one_in_the_settings() -> None:
    lines = (UNITS / "roommood-collector.tmpfiles").read_text().splitlines()
    user = "roommood-collector"
    assert f"d {INSTALLED_FOLDER} 0700 {user} {user} -" in lines
    assert f"d {INSTALLED_STATE} 0751 {user} {user} -" in lines
    (path,) = values("roommood-erasures.path", "PathChanged")
    assert path == f"{INSTALLED_STATE}/erasures.jsonl"


def test_the_installer_switches_it_on_removes_it_and_purges_the_backups() -> None:
    text = (ROOT / "deploy" / "install-collector").read_text()
    switched_on = text.index("systemctl enable --quiet --now roommood-backup.timer")
    assert (
        text.index("is_well") < switched_on < text.index("systemctl start roommood-backup.service")
    )
    purge = text[text.index('if [ -n "$purge" ]') : text.index("check_host\n")]
    assert f" {INSTALLED_FOLDER} " in purge.partition("else")[0]
