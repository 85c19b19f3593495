"""The units, as systemd itself reads them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.once

UNITS = ROOT / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
DIRECTIVES = {
    "roommood-agent.service": 1.5,
    "roommood-collector.service": 1.5,
    "roommood-backup.service": 1.5,
    "roommood-erasures.service": 1.5,
    "roommood-kiosk.service": 3.0,
    "roommood-broker.service": 1.5,
    "roommood-device.service": 1.5,
    "roommood-enrol.service": 4.5,
}


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_service_is_no_more_exposed_than_was_asked(name: str) -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"exposure level for \S+: ([0-9.]+)", result.stdout)
    assert match is not None, result
    assert float(match[1]) <= DIRECTIVES[name]
    assert "Unknown" not in result.stderr, result.stderr


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """What the units run is not installed here: something that is takes its place."""
    for path in UNITS.iterdir():
        if path.suffix not in (".service", ".timer", ".path"):
            continue
        text = re.sub(r"(?m)^(Exec\w+)=\S+.*$", r"\1=/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text)
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in result.stderr.splitlines() if "roommood" in line]
    assert ours == []


def test_every_unit_is_installed_and_removed_by_an_installer() -> None:
    scripts = "".join(
        (ROOT / "deploy" / f"install-{part}").read_text() for part in ("agent", "collector")
    )
    for path in UNITS.iterdir():
        assert path.name in scripts, path.name


def test_what_the_units_run_is_there() -> None:
    for name in SERVICES:
        for command in re.findall(r"(?m)^Exec\w+=[+-]?(\S+)", (UNITS / name).read_text()):
            if "/libexec/" in command:
                assert (ROOT / "deploy" / "libexec" / Path(command).name).stat().st_mode & 0o111


@pytest.mark.parametrize("script", ["install-agent", "install-collector"])
def test_an_installer_refuses_a_machine_that_it_is_not_for(script: str) -> None:
    """Tests run where systemd is not the first process, or where we are not root."""
    if Path("/run/systemd/system").exists():
        pytest.skip("systemd runs here: the installer would install")
    result = subprocess.run(
        [ROOT / "deploy" / script, *(["--site", "s", "--host", "h"] if "coll" in script else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert re.search(r"systemd is not running here|needs root", result.stderr)
    wrong = subprocess.run(
        [ROOT / "deploy" / script, "--camra", "usb:0"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "unknown: --camra" in wrong.stderr


def test_the_agent_s_installer_knows_two_detectors() -> None:
    result = subprocess.run(
        [ROOT / "deploy" / "install-agent", "--detector", "yonet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "there are haar and yunet" in result.stderr
