"""The setup view as IT uses it: a real film, a real Chromium, the PIN, the log."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, expect

from edge.config import AgentSettings
from edge.permission.audit import DeviceAuditLog
from edge.permission.pin import hash_pin
from tests.conftest import Mosquitto
from tests.free import wait
from tests.system.browser import SHOTS
from tests.system.process import Roommood

pytestmark = pytest.mark.once


@pytest.fixture
def config(tmp_path: Path, mosquitto: Mosquitto, lesson_film: Path) -> Path:
    settings = {
        "site": "school",
        "room": "r101",
        "camera": str(lesson_film),
        "broker": {"port": mosquitto.port},
        "pin": hash_pin("2468"),
        "state": "state",
    }
    path = tmp_path / "agent.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def address(aim: Roommood) -> str:
    return aim.wait_for_line("camera view at ").rpartition(" ")[2]


def test_the_picture_its_sizes_and_its_end(
    chromium: Browser,
    config: Path,
    tmp_path: Path,
) -> None:
    with Roommood("agent", "aim", "--config", config, "--port", 0) as aim:
        context = chromium.new_context(viewport={"width": 1000, "height": 760})
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(address(aim))
        page.get_by_label("PIN").fill("1357")
        page.get_by_role("button", name="Show the picture").click()
        expect(page.get_by_role("alert")).to_have_text("Wrong PIN.")
        assert page.locator("img").count() == 0
        page.get_by_label("PIN").fill("2468")
        page.get_by_role("button", name="Show the picture").click()
        expect(page.locator("#report")).to_contain_text(re.compile(r"\d+ faces now"))
        page.wait_for_function(
            "() => document.getElementById('picture').src.startsWith('blob:')"
            " && document.getElementById('picture').naturalWidth === 1280"
        )
        page.screenshot(path=SHOTS / "aim.png")
        page.get_by_role("button", name="Done").click()
        expect(page.locator("h1")).to_have_text("The camera is closed.")
        context.close()
        assert aim.process.wait(60) == 0
        proposal = yaml.safe_load(aim.output())
    assert 20 <= proposal["faces"]["min_size"] <= 70
    settings = yaml.safe_load(config.read_text()) | proposal | {"state": tmp_path / "other"}
    AgentSettings.model_validate(settings)

    log = tmp_path / "state" / "audit.jsonl"
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events == ["aim_begins", "aim_wrong_pin", "aim_unlocked", "aim_ends"]
    assert DeviceAuditLog(log).broken_line() is None
    assert {path.name for path in log.parent.iterdir()} == {"audit.jsonl", "agent.lock", "pin.json"}


def test_nobody_sees_it_without_the_pin(config: Path) -> None:
    with Roommood("agent", "aim", "--config", config, "--port", 0, "--seconds", 6) as aim:
        url = address(aim)
        for path in ("/picture.jpg", "/report"):
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(url + path, timeout=30)
            assert refusal.value.code == 403
        assert b"picture.jpg" not in urllib.request.urlopen(url, timeout=30).read()
        assert aim.process.wait(60) == 0  # by itself, when its time is over


def test_while_an_agent_runs_nobody_aims_and_the_other_way_round(config: Path) -> None:
    with Roommood("agent", "run", "--config", config):
        wait((config.parent / "state" / "outbox.sqlite").exists, 20)
        with Roommood("agent", "aim", "--config", config, "--port", 0) as other:
            assert other.process.wait(60) == 2
            other.wait_for_line("stop that first")
    with Roommood("agent", "aim", "--config", config, "--port", 0) as aim:
        address(aim)
        with Roommood("agent", "run", "--config", config) as second:
            assert second.process.wait(60) == 2
            second.wait_for_line("stop that first")


def test_without_a_pin_in_the_settings_there_is_no_picture(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    del settings["pin"]
    config.write_text(yaml.safe_dump(settings))
    with Roommood("agent", "aim", "--config", config) as aim:
        assert aim.process.wait(60) == 2
        aim.wait_for_line("roommood agent pin")
