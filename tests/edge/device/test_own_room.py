"""A room in an enrolled device's own settings counts for nothing, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edge.device.enrol import ABOUT, SITE, EnrolmentRecord
from edge.device.hardware import hardware
from edge.device.managed_settings import agent_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    state.mkdir()
    record = EnrolmentRecord(
        collector="https://localhost:1", site="school", room="r101", hardware=hardware()
    )
    (state / ABOUT).write_text(record.model_dump_json())
    site = {"site": "school", "room": "r101", "device": "r101", "state": str(state)}
    (state / SITE).write_text(yaml.safe_dump(site))
    return tmp_path / "agent.yaml"


@pytest.mark.parametrize(
    ("own", "is_logged"),
    [
        ("", False),
        ("room: r101", False),
        ("room: r202", True),
        ("site: other", True),
        ("device: pi-7", True),
    ],
)
def test_the_enrolment_decides_and_says_so(
    config: Path, caplog: pytest.LogCaptureFixture, own: str, is_logged: bool
) -> None:
    config.write_text(f"enrolled: state\n{own}\n")
    settings = agent_settings(config)
    assert (settings.site, settings.room, settings.device) == ("school", "r101", "r101")
    assert ("counts for nothing" in caplog.text) == is_logged
    assert ("sudo roommood device enrol" in caplog.text) == is_logged
