from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.camera import driver_of
from edge.common.address import mask
from edge.common.errors import UserError
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
    ("text", "words"),
    [
        ("window_second: 5", "unknown key 'window_second': did you mean 'window_seconds'"),
        ("broker: {hots: b}", "unknown key 'broker.hots': did you mean 'host'"),
        ("faces: {zzz: 1}", "unknown key 'faces.zzz': use one of detector, model"),
        ("faces: {min_size: 1}", "'faces.min_size' is not valid: .* greater than or equal to 10"),
        ("disclosure: {min_faces: 2}", "'disclosure.min_faces'"),
        ("room: Room 1", "'room'"),
        ("window_seconds: soon", "'window_seconds'"),
        ("room: R101", "'room': write a name of small letters a to z, digits and hyphens"),
        ("pin: [1]", "'pin' is not valid: write a text, in quotes"),
        ("schedule: {timezone: UTC, lessons: [{days: mon, start: 8, end: 9}]}", "write a list"),
        (f"pin: {'[' * 3000}{']' * 3000}", "brackets too deep"),
        (
            f"window_seconds: {'9' * 5000}",
            "'window_seconds' .* less than or equal to 3600",
        ),
        ("broker: localhost", "'broker' is not a section: write its keys below it, indented"),
        (
            "schedule: {timezone: UTC, lessons: [{days: [funday], start: 8, end: 9}]}",
            "'schedule.lessons.0.days.0' is not valid: input should be 'mon', .* or 'sun'$",
        ),
    ],
)
def test_a_wrong_key_is_named_with_its_remedy(tmp_path: Path, text: str, words: str) -> None:
    path = write(
        tmp_path, MINIMAL.replace("room: r101\n", "" if "room:" in text else "room: r1\n") + text
    )
    with pytest.raises(UserError, match=words) as refusal:
        load(AgentSettings, path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("site: school\nstate: kept\n", "'room' is missing; .*'room': add it"),
        ("site: [", "not valid YAML at line 1"),
        ("just words", "contains no settings"),
        ("", "contains no settings"),
    ],
)
def test_a_file_that_is_no_settings_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(AgentSettings, write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.yaml: no such file"):
        load(AgentSettings, tmp_path / "gone.yaml")


def test_show_masks_secrets_and_prints_what_can_be_read_again(tmp_path: Path) -> None:
    text = MINIMAL + "broker: {password: hunter2}\ncamera: rtsp://user:hunter2@cam/1\n"
    yaml_text = show(load(AgentSettings, write(tmp_path, text)))
    assert "hunter2" not in yaml_text
    content = yaml.safe_load(yaml_text)
    assert content["broker"]["password"] == "**********"
    assert content["camera"] == "rtsp://**********@cam/1"
    assert load(AgentSettings, write(tmp_path, yaml_text)).room == "r101"


SETTINGS = st.fixed_dictionaries(
    {
        "site": st.sampled_from(["school", "007", "1e3", "no", "null", "0x1f"]),
        "room": st.one_of(st.integers(0, 10**6), st.sampled_from(["r101", "yes", "012", "1-2"])),
        "state": st.just("s"),
    },
    optional={
        "window_seconds": st.floats(1, 3600),
        "camera": st.sampled_from(["usb:0", "rtsp://10.0.0.4/stream", "sim:seats=8,seed=2"]),
        "schedule": st.fixed_dictionaries(
            {
                "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
                "lessons": st.lists(
                    st.builds(
                        lambda start, minutes: {
                            "days": ["mon", "fri"],
                            "start": f"{start // 60}:{start % 60:02}",
                            "end": f"{(start + minutes) // 60:02}:{(start + minutes) % 60:02}",
                        },
                        st.integers(0, 1380),
                        st.integers(1, 59),
                    ),
                    min_size=1,
                    max_size=3,
                ),
            },
            optional={"holidays": st.just(["2026-03-09", "2026-04-01/2026-04-10"])},
        ),
        "faces": st.fixed_dictionaries({}, optional={"rows": st.just([[0.5, 0.2, 0.3, 0.1]])}),
        "gpio": st.just({"button": 17}),
    },
)


@given(content=SETTINGS)
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_show_config_prints_is_read_again_as_the_same(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps(content))  # JSON is YAML, with every string in quotes
    first = load(AgentSettings, path)
    path.write_text(show(first))
    assert load(AgentSettings, path) == first


@pytest.mark.parametrize(
    ("text", "means"),
    [("101", "101"), ("007", "007"), ("no", "no"), ("1e3", "1e3"), ('"101"', "101")],
)
def test_a_room_is_called_what_is_written(tmp_path: Path, text: str, means: str) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(f"site: school\nroom: {text}\nstate: s\n")
    assert load(AgentSettings, path).room == means


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("site: school\nroom: r101\nstate: s\nroom: r102\n")
    with pytest.raises(UserError, match=r"line 4 \(the key 'room' appears twice\)"):
        load(AgentSettings, path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kiosk: {port: 80}\nhealth: {port: 80}", "kiosk.port and health.port are both 80: choose"),
        ("gpio: {button: 4, led: 4}", "'gpio': button and light are on one pin: give each"),
        (
            "schedule: {timezone: UTC, calendar: a.ics, holidays_calendar: a.ics}",
            "one calendar has the lessons and the holidays, so no day has a lesson: set 'calendar'",
        ),
    ],
)
def test_what_cannot_be_two_things_at_once_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        load(AgentSettings, write(tmp_path, MINIMAL + text))
    load(AgentSettings, write(tmp_path, MINIMAL + "kiosk: {port: 0}\nhealth: {port: 0}"))


def test_a_weekday_may_have_its_whole_name(tmp_path: Path) -> None:
    lessons = "[{days: [Monday, Tue, wed], start: 8, end: 9}]"
    text = f"{MINIMAL}schedule: {{timezone: UTC, lessons: {lessons}}}"
    schedule = load(AgentSettings, write(tmp_path, text)).schedule
    assert schedule is not None
    assert schedule.lessons[0].days == ("mon", "tue", "wed")


def test_a_letter_in_two_halves_is_one_and_half_of_one_is_refused(tmp_path: Path) -> None:
    """JSON, which YAML reads too, writes letters past the first 65,536 so."""
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps({"site": "s", "room": "r", "state": "\U0001f600"}))
    assert load(AgentSettings, path).state == tmp_path / "\U0001f600"
    path.write_text(json.dumps({"site": "s", "room": "r", "state": "\ud83d"}))
    with pytest.raises(UserError, match=r"line 1 \(half a letter"):
        load(AgentSettings, path)


def test_a_keys_former_spelling_is_understood_and_todays_is_shown(tmp_path: Path) -> None:
    settings = load(AgentSettings, write(tmp_path, MINIMAL + "faces: {min_neighbors: 7}\n"))
    assert settings.faces.min_detections == 7
    assert "min_detections: 7" in show(settings)
    assert "min_neighbors" not in show(settings)
    both = MINIMAL + "faces: {min_neighbors: 7, min_detections: 8}\n"
    with pytest.raises(UserError, match=r"'faces': both 'min_neighbors' and .*remove"):
        load(AgentSettings, write(tmp_path, both))


@pytest.mark.parametrize("scheme", ["rtsp", "RTSP", "Rtsps"])
def test_a_kind_of_camera_in_capitals_is_that_kind_and_hides_its_password(
    tmp_path: Path, scheme: str
) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text(MINIMAL + f"camera: {scheme}://u:hunter2@127.0.0.1:1/x\n")
    source = load(AgentSettings, config).camera
    assert source == f"{scheme.lower()}://u:hunter2@127.0.0.1:1/x"
    assert driver_of(source)[0] == "stream"
    assert "hunter2" not in mask(source)
