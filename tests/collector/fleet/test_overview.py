"""Five hundred devices: what is wrong stands first, is counted, searched, and drawn at once."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from collector.config import SchoolSettings
from collector.fleet.diagnosis import DeviceOut
from collector.fleet.overview import CAUSES, FINE, PAGE, overview
from collector.pages.render import Renderer
from collector.pages.words import LANGUAGES, words
from tests.conftest import ROOT

MOST_MS = 300


def device(number: int, fault: str | None = None, **changes: Any) -> DeviceOut:
    empty = dict.fromkeys(DeviceOut.model_fields)
    fields = {"site": "school", "room": f"r{number:03}", "state": "live", "fault": fault}
    return DeviceOut.model_validate(empty | fields | {"about": "", "version": "0.1"} | changes)


FAULTS = {17: "hot", 99: "offline", 250: "no_camera", 444: "revoked", 499: "disk"}
SCHOOL = [device(number, FAULTS.get(number)) for number in range(500)]


def test_the_broken_ones_stand_first_in_the_order_of_what_matters() -> None:
    view = overview(SCHOOL)
    assert [name for name, _ in view.groups] == [
        "offline",
        "disk",
        "no_camera",
        "hot",
        "revoked",
        FINE,
    ]
    first = [row.room for _, group in view.groups for row in group][:5]
    assert set(first) == {f"r{number:03}" for number in FAULTS}
    assert dict(view.counts) == dict.fromkeys(FAULTS.values(), 1) | {FINE: 495}
    assert (view.total, view.pages) == (500, 5)
    assert sum(len(group) for _, group in view.groups) == PAGE


def test_one_is_found_by_its_name_or_its_title_and_one_cause_alone_is_shown() -> None:
    assert [r.room for _, g in overview(SCHOOL, text="R250").groups for r in g] == ["r250"]
    by_title = overview(SCHOOL, text="physics", title=lambda _s, r: "Physics" * (r == "r007"))
    assert [row.room for _, group in by_title.groups for row in group] == ["r007"]
    hot = overview(SCHOOL, cause="hot")
    assert [row.room for _, group in hot.groups for row in group] == ["r017"]
    assert hot.total == 500  # and the other causes can still be chosen
    assert overview(SCHOOL, text="nothing like it").groups == []
    assert overview(SCHOOL, page=99).page == 5


def test_every_cause_has_its_place_and_its_words() -> None:
    assert set(CAUSES) == set(words("en")["fleet"]["faults"]) | {FINE}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_of_five_hundred_is_drawn_in_time(language: str) -> None:
    renderer = Renderer(SchoolSettings())
    context: dict[str, Any] = {
        **{"site": "school", "enrolled": 500, "text": "", "cause": "", "told": None, "wrong": ""},
        **{"waiting": [], "updates": [], "valid": {}, "code": None, "principal": None},
        **{"may": lambda _right: True, "csrf": "x", "path": "/devices"},
    }
    renderer.text("devices.html", language, context | {"view": overview([])})  # is compiled
    took = []
    for _ in range(3):  # the least: what others do to the processor's caches is not the page's
        begin = time.process_time()
        text = renderer.text("devices.html", language, context | {"view": overview(SCHOOL)})
        took.append(1000 * (time.process_time() - begin))
    assert min(took) < MOST_MS
    rows = text.partition("<tbody>")[2]
    assert all(rows.index(f"r{number:03}") < rows.index("r000") for number in FAULTS)


def test_the_command_that_lists_devices_loads_no_web_server() -> None:
    """Which would take longer than the list."""
    code = (
        "import sys; from collector.fleet.listing import as_of_now; "
        "from collector.fleet.service import FleetService; "
        "from collector.pages.words import words; "
        "print(*{'fastapi', 'jinja2'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stdout.split() == []
