"""Thousands of messages with every value that a field's type can hold, and then a restart.

`GARBAGE=10000 pytest tests/collector/test_hostile.py` tries more than the suite does.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from collector.ingest import bounds
from tests.collector.school import OTHER, School
from tests.conftest import BOOT, mood

pytestmark = pytest.mark.once

MESSAGES = int(os.environ.get("GARBAGE", "1000"))
BATCH = 50

NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from(
        [
            *(0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**300, -(10**300), 1e308, 5e-324),
            *(float("nan"), float("inf"), 86_400, 86_400.1, 10_000, 100_000),
        ]
    ),
)
EXTREMES = (
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"),
    *("1969-12-31T23:59:59Z", "2199-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"),
    *("2026-02-30T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-01-01"),
)
TIMES: st.SearchStrategy[Any] = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.sampled_from(EXTREMES),
    st.timedeltas(timedelta(days=-4000), timedelta(days=4000)).map(
        lambda ago: (datetime.now(timezone.utc) + ago).isoformat()
    ),
    NUMBERS,
)
TEXTS: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "\0", "r101\n", "../r101", "\ud800", "a" * 33, "r102", "{{7*7}}", "☃"]),
    NUMBERS,
    st.none(),
)
COUNTS: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["happy", "uncertain", "other"]) | TEXTS.map(str), NUMBERS, max_size=5
)
OF_MOOD: dict[str, st.SearchStrategy[Any]] = {
    "device": TEXTS,
    "boot": st.uuids().map(str) | TEXTS,
    "seq": NUMBERS,
    "start": TIMES,
    "seconds": NUMBERS,
    "clock": st.sampled_from(["synced", "unsynced"]) | TEXTS,
    "frames": NUMBERS,
    "faces": NUMBERS | st.none(),
    "counts": COUNTS | st.none(),
    "withheld": TEXTS | st.sampled_from(["few_faces", "paused", "headcount_only"]),
    "model": TEXTS,
    "windows": NUMBERS,
    "site": TEXTS,
    "room": TEXTS,
    "schema": TEXTS,
}
HEALTH: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("uptime_s", "frames_per_s", "ms_per_frame", "waiting", "merged"), NUMBERS),
    **dict.fromkeys(("faces", "last_ack_s", "dropped", "temperature_c", "memory_mb"), NUMBERS),
    **dict.fromkeys(("version", "because", "mode", "pause", "disk", "model", "detector"), TEXTS),
    "throttled": st.lists(st.sampled_from(["capped", "throttled"]) | TEXTS, max_size=40),
}
OF_STATUS: dict[str, st.SearchStrategy[Any]] = {"at": TIMES, "boot": TEXTS, "device": TEXTS}

VALID: dict[str, Any] = json.loads(mood(start=datetime.now(timezone.utc)).encode())
STATUS: dict[str, Any] = {
    **{"schema": "roommood.status/1", "site": "school", "room": "r101", "device": "r101"},
    **{"boot": str(BOOT), "state": "online", "at": "2026-03-02T08:15:00.000Z"},
    "health": {
        **{"version": "1", "uptime_s": 1, "frames_per_s": 2.0, "ms_per_frame": 1.0, "waiting": 0},
        **{"mode": "emotion", "because": "attested"},
    },
}


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    """A message of a room with some fields that somebody chose to do harm."""
    room = f"h{draw(st.integers(0, 39))}"
    if draw(st.booleans()):
        content = VALID | {
            "room": room,
            "seq": draw(st.integers(0, 10_000)),
            "boot": str(draw(st.uuids())),
        }
        for field in draw(st.lists(st.sampled_from(list(OF_MOOD)), min_size=1, max_size=2)):
            content[field] = draw(OF_MOOD[field])
        kind = "mood"
    else:
        kind, content = "status", STATUS | {"room": room, "health": dict(STATUS["health"])}
        for field in draw(st.lists(st.sampled_from(list(HEALTH)), max_size=3)):
            content["health"][field] = draw(HEALTH[field])
        for field in draw(st.lists(st.sampled_from(list(OF_STATUS)), max_size=1)):
            content[field] = draw(OF_STATUS[field])
    payload = json.dumps(content).encode("utf-8", "surrogatepass")
    return f"roommood/v1/school/{room}/{kind}", payload


def test_a_collector_starts_again_whatever_one_room_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "BURST", 2.0 * MESSAGES)  # of one room, as many as are tried
    with School(tmp_path) as school:
        school.staff()
        calm = school.windows(OTHER)
        school.windows(("school", "r101"))
        ingest = school.service._ingest

        @settings(
            max_examples=MESSAGES // BATCH,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(hostile(), min_size=BATCH, max_size=BATCH))
        def send(messages: list[tuple[str, bytes]]) -> None:
            for name, payload in messages:
                ingest._received(name, payload)

        send()
        _all_is_shown(school)
    with School(tmp_path) as school:
        assert school.service.rooms.view(*OTHER).mood == calm[-1]
        assert len(school.service.rooms.windows(*OTHER)) == len(calm)
        _all_is_shown(school)


def test_the_last_window_of_a_room_may_say_any_time(tmp_path: Path) -> None:
    with School(tmp_path) as school:
        calm = school.windows(OTHER)
        for number, start in enumerate(EXTREMES):
            for clock in ("synced", "unsynced"):
                room = f"{clock}{number}"
                content = json.dumps(VALID | {"room": room, "start": start, "clock": clock})
                name = f"roommood/v1/school/{room}/mood"
                school.service._ingest._received(name, content.encode())
    with School(tmp_path) as school:
        assert school.service.rooms.view(*OTHER).mood == calm[-1]
        # What may be of any time is kept; what claims to know the time has to.
        assert ("school", "unsynced2") in school.store.rooms()
        assert ("school", "synced2") not in school.store.rooms()


def test_one_rooms_unreadable_row_keeps_no_other_from_being_shown(tmp_path: Path) -> None:
    """As earlier versions stored them, or a hand at the database."""
    with School(tmp_path) as school:
        calm = school.windows(OTHER)
        school.windows(("school", "r101"))
        school.windows(("school", "r103"))
        bad = {"start": -62_135_596_800.0, "seconds": -5, "boot": "none", "counts": '"x"'}
        with school.engine.begin() as connection:
            for field, value in bad.items():
                connection.execute(
                    text(f"UPDATE mood SET {field} = :v WHERE room = 'r101' AND seq > 30"),
                    {"v": value},
                )
            far = "UPDATE mood SET start = 1e300 WHERE room = 'r103' AND seq = 39"
            connection.execute(text(far))
    with School(tmp_path) as school:
        assert school.service.rooms.view(*OTHER).mood == calm[-1]
        with school.as_script() as client:
            for room in ("r101", "r102", "r103"):
                answer = client.get(f"/api/rooms/school/{room}/moods?from=1970-01-01T00:00:00Z")
                assert answer.status_code == 200
                assert len(answer.json()) >= 30
        assert school.store.add([mood(room="r101", boot=uuid4())])


def _all_is_shown(school: School) -> None:
    with school.as_person("ann") as ann:
        for path in ("/", "/rooms/school/r101", "/rooms/school/r102", "/api/rooms", "/metrics"):
            assert ann.get(path).status_code == 200, path
        for room in ("r101", "r102"):
            since = "?from=1970-01-01T00:00:00Z"
            assert ann.get(f"/api/rooms/school/{room}/moods{since}").status_code == 200
