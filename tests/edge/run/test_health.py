from __future__ import annotations

from typing import Any

import httpx
import pytest

from edge.common.errors import UserError
from edge.protocol.messages import MAX_BYTES, Health, Status
from edge.run.health import BEHIND_S, endpoint, is_well
from tests.conftest import BOOT, mood

WELL: dict[str, Any] = {
    "version": "0.1.0",
    "uptime_s": 3600,
    "frames_per_s": 2.0,
    "ms_per_frame": 31.5,
    "waiting": 0,
    "mode": "emotion",
    "because": "attested",
    "faces": 24,
    "model": "0123456789ab",
    "last_ack_s": 4,
    "temperature_c": 51.5,
    "memory_mb": 120.3,
}


def health(**changes: Any) -> Health:
    return Health.model_validate(WELL | changes)


@pytest.mark.parametrize(
    ("changes", "well"),
    [
        ({}, True),
        ({"waiting": 40, "last_ack_s": BEHIND_S + 1}, False),
        ({"waiting": 40, "last_ack_s": 3}, True),
        ({"waiting": 1, "last_ack_s": None}, False),
        ({"waiting": 1, "last_ack_s": None, "uptime_s": 20}, True),
        ({"frames_per_s": 0}, False),
        ({"frames_per_s": 0, "pause": "schedule"}, True),
        ({"frames_per_s": 0, "uptime_s": 5}, True),
        ({"disk": "failing"}, False),
    ],
)
def test_whether_a_device_does_well(changes: dict[str, Any], well: bool) -> None:
    assert is_well(health(**changes)) is well


def test_the_endpoint_answers_on_this_machine_alone() -> None:
    now, wrong = [health()], dict[str, str]()
    server = endpoint(0, lambda: now[0], lambda: wrong)
    server.start()
    try:
        answer = httpx.get(f"{server.url}/healthz")
        assert answer.status_code == 200
        report = answer.json()
        assert report.pop("workers") == {}
        assert report == now[0].model_dump(mode="json")
        wrong["publish"] = "no space left"
        answer = httpx.get(f"{server.url}/healthz")
        assert (answer.status_code, answer.json()["workers"]) == (503, wrong)
        wrong.clear()
        now[0] = health(disk="failing")
        assert httpx.get(f"{server.url}/healthz").status_code == 503
        elsewhere = httpx.get(f"{server.url}/healthz", headers={"Host": "evil.example"})
        assert elsewhere.status_code == 403
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(UserError, match=r"health\.port: port"):
            endpoint(port, lambda: now[0], dict)
    finally:
        server.stop()


def test_a_status_with_everything_wrong_is_small_enough() -> None:
    worst = health(
        version="1.2.3.dev4567+abcdef012345",
        uptime_s=10**8,
        ms_per_frame=12345.6,
        waiting=100_000,
        merged=100_000,
        dropped=100_000,
        mode="headcount",
        because="no_attestation",
        pause="unreadable",
        disk="failing",
        throttled=("under_voltage", "capped", "throttled", "soft_limit"),
    )
    long = "n" * 32
    status = Status(
        schema="roommood.status/1",
        site=long,
        room=long,
        device=long,
        boot=BOOT,
        state="online",
        at=mood().start,
        health=worst,
    )
    assert len(status.encode()) < MAX_BYTES
