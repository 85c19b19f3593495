"""`agent set`: only what was asked for changes, and what does not work is undone."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edge.cli import agent
from edge.common.errors import UserError
from edge.common.settings import Loader, load
from edge.config import AgentSettings
from edge.device.change import apply, edit, read_change
from edge.device.unit import NoService, SystemdUnit
from tests.conftest import ROOT

TEXT = """# What only this machine knows.
site: school
room: r101   # above the library
camera: "usb:0"

# YuNet where its file is.
faces: {detector: haar, min_size: 24}
broker: {host: broker.example, port: 1883}
schedule: {timezone: Europe/Berlin, lessons: [{days: [mon], start: 8:15, end: "9:00"}]}
state: kept
"""

SYSTEMCTL = """#!{python}
import pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as file:
    print(*sys.argv[1:], file=file)
config = (here / "agent.yaml").read_text()
if sys.argv[1] == "is-active":
    sys.exit(0)
if sys.argv[1] == "is-failed":
    sys.exit(0 if "usb:9" in config else 1)
if sys.argv[1] == "show":
    print(0)
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(TEXT)
    path.chmod(0o640)
    return path


@pytest.fixture
def systemctl(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a machine on which an agent with the camera usb:9 ends at once."""
    path = config.parent / "systemctl"
    path.write_text(SYSTEMCTL.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{config.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("edge.device.change.WATCH_S", 1.5)
    return config.parent / "calls"


def test_what_people_wrote_around_the_values_stays(config: Path) -> None:
    changes = [
        read_change(text) for text in ("camera=usb:1", "faces.detector=auto", "kiosk.port=8643")
    ]
    assert apply(config, changes, NoService(), None).startswith("changed; it holds from")
    lines = config.read_text().splitlines()
    assert lines[:3] == TEXT.splitlines()[:3]
    assert 'camera: "usb:1"' in lines
    assert "# YuNet where its file is." in lines
    assert "faces: {detector: auto, min_size: 24}" in lines
    settings = load(AgentSettings, config)
    assert (settings.camera, settings.kiosk is not None) == ("usb:1", True)
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    apply(config, [read_change("kiosk="), read_change("faces.detector=")], NoService(), None)
    assert load(AgentSettings, config).kiosk is None
    assert {path.name for path in config.parent.iterdir()} == {"agent.yaml"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("camera", "not of the form key=value"),
        ("=usb:1", "not of the form key=value"),
        ("faces..x=1", "not of the form key=value"),
        ("camera=[", "not valid YAML"),
        ("camra=usb:1", "did you mean 'camera'?"),
        ("window_seconds=0", "nothing was changed"),
        ("faces.detector=dlib", "nothing was changed"),
        ("room=", "nothing was changed"),
    ],
)
def test_what_is_not_valid_changes_nothing(config: Path, change: str, words: str) -> None:
    result = CliRunner().invoke(agent, ["set", "--config", str(config), change])
    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)
    assert config.read_text() == TEXT
    assert {path.name for path in config.parent.iterdir()} == {"agent.yaml"}


def test_an_agent_that_runs_is_restarted_and_one_that_does_not_come_up_has_its_settings_back(
    config: Path, systemctl: Path
) -> None:
    unit = SystemdUnit("roommood-agent.service")
    assert "was restarted" in apply(config, [read_change("camera=usb:1")], unit, None)
    good = config.read_text()
    assert "restart roommood-agent.service" in systemctl.read_text()
    systemctl.unlink()
    with pytest.raises(UserError, match="it was undone, and the agent restarted"):
        apply(config, [read_change("camera=usb:9")], unit, None)
    assert config.read_text() == good
    assert systemctl.read_text().count("restart roommood-agent.service") == 2
    systemctl.unlink()
    assert apply(config, [read_change("camera=usb:1")], unit, None) == "nothing to change"
    assert not systemctl.exists()


@given(
    st.dictionaries(
        st.sampled_from(
            ["camera", "room", "log_level", "faces.min_size", "broker.host", "new.a.b"]
        ),
        st.one_of(st.integers(), st.booleans(), st.text("aß1:#'\"{ -", max_size=12)),
        min_size=1,
    )
)
def test_every_value_is_read_again_as_it_was_given(values: dict[str, object]) -> None:
    for name in ("agent.yaml", "collector.yaml"):
        text = (ROOT / "deploy" / "examples" / name).read_text()
        changes = [read_change(f"{key}={json.dumps(value)}") for key, value in values.items()]
        content = yaml.load(edit(text, changes), Loader)  # noqa: S506  # a SafeLoader
        for change in changes:
            section = content
            for key in change.keys:
                section = section[key]
            assert section == change.value
        comments = [line for line in text.splitlines() if line.startswith("#")]
        assert [line for line in edit(text, changes).splitlines() if line in comments] == comments
