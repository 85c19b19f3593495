"""The doctor on an enrolled device: it asks the collector, and names the cause that it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from edge.commands import doctor
from edge.commands.doctor import Finding, examine
from edge.config import AgentSettings
from edge.device.verdict import CollectorLink, clock_lead_s
from tests.conftest import ROOT
from tests.fleet import SITE, Site

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def device(site: Site) -> Path:
    """The settings file of an enrolled device."""
    state = site.enrol_device("r131")
    config = site.folder / "doctor-agent.yaml"
    config.write_text(yaml.safe_dump({"enrolled": str(state), "camera": "sim:seats=6,seed=1"}))
    return config


def findings(config: Path) -> tuple[int, dict[str, Finding], str]:
    """What `roommood agent doctor` finds: its status, findings and standard error."""
    command = [sys.executable, "-m", "deploy.commands.cli", "agent", "doctor", "--json"]
    run = subprocess.run(
        [*command, "--config", str(config)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    lines = [Finding(**json.loads(line)) for line in run.stdout.splitlines()]
    return run.returncode, {one.what: one for one in lines}, run.stderr


AS_NOBODY = """
import codecs, os, sys
import edge.device.slots, edge.device.verdict, edge.commands.doctor
from edge.cli import agent
from edge.common.errors import UserError
codecs.lookup("utf-16-le")
os.setuid(65534)
try:
    agent(["doctor", "--config", sys.argv[1]], standalone_mode=False)
except UserError as error:
    print(error)
"""
"""Modules are read as root: the environment of the tests may not be open to all."""


def test_the_collectors_verdict(device: Path, site: Site) -> None:
    _, before, errors = findings(device)
    assert before, errors
    assert (before["collector"].state, before["broker"].state) == ("ok", "ok"), before
    assert "knows this device" in before["collector"].seen
    site.fleet.revoke((SITE, "r131"), "ian", "the device was lost")
    status, after, _ = findings(device)
    assert status == 1
    assert after["collector"].state == "fault"
    assert "certificate refused" in after["collector"].seen
    assert "the device was lost" in after["collector"].seen
    assert "new code" in after["collector"].remedy


def test_who_has_no_rights_is_told_so(device: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: there is nobody else to be")
    for folder in (*device.parents[:-2], Path(yaml.safe_load(device.read_text())["enrolled"])):
        folder.chmod(0o755)
    Path(yaml.safe_load(device.read_text())["enrolled"]).chmod(0o700)
    run = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(device)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert "may not read it" in run.stdout, run.stderr
    assert "sudo" in run.stdout
    assert "enrol" not in run.stdout.partition("may not")[2]


def test_a_clock_that_is_years_ahead_is_named_as_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "clock_remedy", lambda: "set it")
    settings = {"site": "school", "room": "r101", "state": tmp_path, "broker": {"port": 1}}
    settings_of_room = AgentSettings.model_validate(settings)
    for lead_s, state in ((2 * 365 * 86_400.0, "fault"), (-4000.0, "fault"), (None, None)):
        link = CollectorLink(lambda: "fine", lambda lead_s=lead_s: lead_s)  # type: ignore[misc]  # bound now
        clock = next(
            one for one in examine(settings_of_room, collector=link) if one.what == "clock"
        )
        if state:
            assert (clock.state, clock.remedy) == (state, "set it")
            assert ("730 days ahead" in clock.seen) == (lead_s > 0)  # type: ignore[operator]  # not None here
        else:
            assert "collector" not in clock.seen


def test_the_clocks_difference_is_asked_without_a_certificate_that_holds(site: Site) -> None:
    state = site.enrol_device("r132")
    lead_s = clock_lead_s(state)
    assert lead_s is not None
    assert abs(lead_s) < 60
