"""What Prometheus gets: names and units by its conventions, and the former names beside them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collector.integrations.metrics import RoomMetrics, metrics_registry
from collector.live.rooms import Rooms
from edge.protocol.messages import Status
from tests.collector.school import School
from tests.conftest import mood

HEALTH: dict[str, Any] = {
    "version": "1.2.3",
    "uptime_s": 60,
    "frames_per_s": 2.0,
    "ms_per_frame": 50.0,
    "waiting": 3,
    "merged": 4,
    "dropped": 5,
    "mode": "headcount",
    "because": "set",
    "faces": 12,
    "last_ack_s": 7,
    "disk": "failing",
    "temperature_c": 61.5,
    "throttled": ("capped",),
    "memory_mb": 200.0,
}


@pytest.fixture
def text(tmp_path: Path) -> str:
    rooms = Rooms()
    status = {
        "schema": "roommood.status/1",
        "site": "school",
        "room": "r101",
        "device": "r101",
        "boot": uuid4(),
        "state": "online",
        "at": datetime.now(timezone.utc),
        "health": HEALTH,
    }
    rooms.update_status(Status.model_validate(status))
    rooms.update_mood(mood(), time.time())
    metrics = RoomMetrics(
        rooms, tmp_path, lambda: {("school", "r101"): 2e9}, lambda: {"web.certificate": 1.9e9}
    )
    return generate_latest(metrics_registry(metrics)).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frames_per_second", 2),
        ("frame_seconds", 0.05),
        ("waiting_windows", 3),
        ("temperature_celsius", 61.5),
        ("memory_bytes", 2e8),
        ("uptime_seconds", 60),
        ("last_acknowledgement_seconds", 7),
        ("disk_failing", 1),
        ("merged_windows_total", 4),
        ("dropped_windows_total", 5),
        ("certificate_expiry_timestamp_seconds", 2e9),
    ],
)
def test_each_figure_has_its_unit(text: str, name: str, value: float) -> None:
    (line,) = re.findall(rf"^roommood_device_{name}{{[^}}]*}} (\S+)$", text, re.MULTILINE)
    assert float(line) == value


def test_throttling_the_disk_the_process_and_own_certificates(text: str) -> None:
    metric = 'roommood_device_throttled{reason="%s",room="r101",site="school"} %s'
    assert metric % ("capped", "1.0") in text
    assert metric % ("under_voltage", "0.0") in text
    assert re.search(r"^roommood_collector_disk_free_bytes \d", text, re.MULTILINE)
    ends = "roommood_collector_certificate_expiry_timestamp_seconds"
    assert f'{ends}{{setting="web.certificate"}} 1.9e+09' in text
    assert "process_resident_memory_bytes" in text


ODD = re.compile(r"_(s|ms|us|ns|sec|min|h|d|c|b|kb|mb|gb|percent|milliseconds|minutes|hours)(_|$)")
"""promtool's list of abbreviated and non-base units, promlint in Prometheus' client_golang."""


def test_names_follow_the_conventions(text: str) -> None:
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("roommood_"):
            continue
        assert family.documentation
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert not ODD.search(family.name), family.name
        for sample in family.samples:
            is_counter = sample.name.endswith("_total")
            assert is_counter == (family.type == "counter"), sample.name


def test_promtool_has_no_complaint(text: str) -> None:
    promtool = shutil.which("promtool", path=f"/usr/bin:/usr/local/bin:{os.environ['PATH']}")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    result = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_a_collector_serves_them(tmp_path: Path) -> None:
    with School(tmp_path) as school, school.as_script() as client:
        text = client.get("/metrics").text
    assert "process_cpu_seconds_total" in text
    assert "roommood_collector_disk_free_bytes" in text
