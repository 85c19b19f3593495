"""A camera is tried before the device has a room, and what the settings name is built."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.cli import agent
from edge.common.errors import UserError
from edge.kiosk.view import templates

SETTINGS = "enrolled: {state}\ncamera: 'sim:seats=6,seed=1'\n{more}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    path = tmp_path / "agent.yaml"
    path.write_text(SETTINGS.format(state=tmp_path / "state", more=""))
    return path


def test_check_and_doctor_try_all_but_the_broker(config: Path) -> None:
    check = CliRunner().invoke(agent, ["check", "--config", str(config)], standalone_mode=False)
    assert check.exception is None
    assert check.return_value == 0
    assert "camera: 1280x720: ok" in check.output
    assert "broker: not tried: this device is not enrolled yet" in check.output
    doctor = CliRunner().invoke(agent, ["doctor", "--config", str(config)], standalone_mode=False)
    assert doctor.exception is None
    assert "camera: sim:seats=6,seed=1: 1280x720" in doctor.output
    assert doctor.output.count("this device is not enrolled yet") == 3
    assert "sudo roommood device enrol" in doctor.output


def test_running_wants_the_enrolment(config: Path) -> None:
    with pytest.raises(UserError, match="not enrolled: run `roommood device enrol`"):
        CliRunner().invoke(agent, ["run", "--config", str(config)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("more", "package", "part"),
    [
        ("disclosure: {noise: {epsilon: 1}}", "opendp", "noise"),
        ("gpio: {button: 17, led: 27}", "gpiozero", "gpio"),
        ("kiosk: {port: 8643}", "jinja2", "pages"),
    ],
)
def test_check_builds_what_the_settings_name(
    config: Path, more: str, package: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    config.write_text(SETTINGS.format(state=config.parent / "state", more=more))
    words = ["check", "--config", str(config)]
    check = CliRunner().invoke(agent, words, standalone_mode=False)
    assert f"{part}: ok" in check.output
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    templates.cache_clear()
    check = CliRunner().invoke(agent, words, standalone_mode=False)
    assert "pip install" in check.stderr
    assert check.return_value == 2
