from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edge.common.errors import Refusal
from edge.common.settings import load, show
from edge.config import AgentSettings


def write(folder: Path, text: str) -> Path:
    path = folder / "agent.yaml"
    path.write_text(text, encoding="utf-8")
    return path


MINIMAL = "site: school\nroom: r101\nstate: kept\n"


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    settings = load(AgentSettings, write(tmp_path, MINIMAL))
    assert settings.device == "r101"
    assert settings.window_seconds == 15
    assert settings.faces.detector == "haar"
    assert settings.state == tmp_path / "kept"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("window_second: 5", "unknown key 'window_second': did you mean 'window_seconds'"),
        ("broker: {hots: b}", "unknown key 'broker.hots': did you mean 'host'"),
        ("faces: {zzz: 1}", "unknown key 'faces.zzz': known keys: detector, model"),
        ("faces: {min_size: 1}", "'faces.min_size': .* greater than or equal to 10"),
        ("disclosure: {min_faces: 2}", "'disclosure.min_faces'"),
        ("room: Room 1", "'room'"),
        ("window_seconds: soon", "'window_seconds'"),
    ],
)
def test_a_wrong_key_is_named_with_its_remedy(tmp_path: Path, text: str, said: str) -> None:
    path = write(
        tmp_path, MINIMAL.replace("room: r101\n", "" if "room:" in text else "room: r1\n") + text
    )
    with pytest.raises(Refusal, match=said) as refused:
        load(AgentSettings, path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site: school\nstate: kept\n", "'room' is missing: add it"),
        ("site: [", "not valid YAML at line 1"),
        ("just words", "holds no settings"),
        ("", "holds no settings"),
    ],
)
def test_a_file_that_is_no_settings_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        load(AgentSettings, write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"gone\.yaml: no such file"):
        load(AgentSettings, tmp_path / "gone.yaml")


def test_show_masks_secrets_and_prints_what_can_be_read_again(tmp_path: Path) -> None:
    text = MINIMAL + "broker: {password: hunter2}\ncamera: rtsp://user:hunter2@cam/1\n"
    shown = show(load(AgentSettings, write(tmp_path, text)))
    assert "hunter2" not in shown
    printed = yaml.safe_load(shown)
    assert printed["broker"]["password"] == "**********"
    assert printed["camera"] == "rtsp://**********@cam/1"
    assert load(AgentSettings, write(tmp_path, shown)).room == "r101"
