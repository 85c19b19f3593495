"""How hard a device works says how many are in a room: not while that is withheld."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.integrations.metrics import RoomMetrics
from collector.live.rooms import Rooms
from edge.protocol.discretion import discreet
from edge.protocol.messages import Health, Status
from tests.attacks.figures import run
from tests.conftest import BOOT
from tests.edge.run.test_health import WELL

MEASUREMENTS: dict[str, st.SearchStrategy[Any]] = {
    "frames_per_s": st.floats(0.1, 2),
    "ms_per_frame": st.none() | st.floats(1, 500),
    "temperature_c": st.just(51.0) | st.floats(50, 54.9),
    "memory_mb": st.floats(100, 149),
}
"""What depends on how many faces there are, and how."""


@given(st.fixed_dictionaries(MEASUREMENTS), st.fixed_dictionaries(MEASUREMENTS))
def test_figures_of_a_withheld_window_are_alike_whatever_was_measured(
    one: dict[str, float], other: dict[str, float]
) -> None:
    first, second = (
        discreet(Health.model_validate({**WELL, "faces": None, **figures}), nominal=2)
        for figures in (one, other)
    )
    assert first == second


def test_every_figure_is_known_to_depend_on_faces_or_not() -> None:
    """A new one has to be put on one of the two sides."""
    independent = {
        *("version", "uptime_s", "waiting", "merged", "mode", "because", "pause", "faces"),
        *("model", "last_ack_s", "dropped", "disk", "throttled", "detector", "fitted"),
    }
    assert set(Health.model_fields) == independent | set(MEASUREMENTS)


def test_figures_are_exact_where_the_number_of_faces_is_known() -> None:
    health = Health.model_validate(WELL)
    assert discreet(health, nominal=2) == health


def test_a_device_says_the_same_of_one_and_of_four() -> None:
    rows = {row[:2] for pupils in (1, 4) for _, row in run(pupils, 2)}
    assert rows == {(10.0, 0.0)}


def test_an_older_devices_figures_are_coarse_in_metrics_and_api() -> None:
    rooms = Rooms()
    for room, ms in (("r1", 20.0), ("r4", 80.0)):
        health = {**WELL, "faces": None, "ms_per_frame": ms, "frames_per_s": 2 - ms / 200}
        status: dict[str, Any] = {
            "schema": "roommood.status/1",
            "site": "school",
            "room": room,
            "device": room,
        }
        status |= {"boot": BOOT, "state": "online", "at": "2026-03-02T08:15:00Z", "health": health}
        rooms.update_status(Status.model_validate(status))
    values: dict[str, list[float]] = {}
    for family in RoomMetrics(rooms).collect():
        values[family.name] = [sample.value for sample in family.samples]
    assert values["roommood_device_frame_seconds"] == []
    for name in ("frames_per_second", "temperature_celsius", "memory_bytes"):
        first, second = values[f"roommood_device_{name}"]
        assert first == pytest.approx(second)
    assert [
        view.status and view.status.health and view.status.health.ms_per_frame
        for view in rooms.all()
    ] == [None, None]
