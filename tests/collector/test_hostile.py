"""Hostile values in every field of every message, stored or refused, and then a restart: it starts,
the room's own pages answer, and the other room is as it was.

`GARBAGE=10000 pytest tests/collector/test_hostile.py -s` tries as many, and says what became of
them.
"""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select

from collector.config import Retention
from collector.ingest import bounds
from collector.ingest.ingest import Ingest
from collector.lessons.repository import LessonRepository
from collector.live.rooms import Rooms
from collector.retention.backup import backup
from collector.retention.restore import restore
from collector.retention.worker import RetentionWorker
from collector.storage.database import connect
from collector.storage.store import Store
from collector.storage.tables import moods
from edge.common.broker import BrokerSettings
from edge.protocol.messages import Mood
from tests.collector.school import OTHER, OWN, School
from tests.conftest import mood
from tests.postgres import Postgres

pytestmark = [pytest.mark.once, pytest.mark.timeout(1800)]

CASES = int(os.environ.get("GARBAGE", "300"))
NOW = datetime.now(timezone.utc)
MOOD: dict[str, Any] = json.loads(mood(room=OWN[1], device=OWN[1]).encode())
STATUS: dict[str, Any] = {
    **{"schema": "roommood.status/1", "site": OWN[0], "room": OWN[1], "device": OWN[1]},
    **{"boot": MOOD["boot"], "state": "online", "at": MOOD["start"]},
    "health": {
        **{"version": "0", "uptime_s": 1, "frames_per_s": 2.0, "ms_per_frame": 3.0},
        **{"waiting": 0, "mode": "emotion", "because": "attested"},
    },
}


def instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


NUMBERS = st.sampled_from(
    [
        *(-1, 0, 1, 5, 10_000, 10_001, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 10**400),
        *(-0.0, 5e-324, 1e-9, 0.1, 15.0, 3600.0, 86_400.0, 86_400.1, 1e308, -1e308),
    ]
)
TIMES = st.one_of(
    st.sampled_from(
        [
            *("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
            *("2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
            *("2026-02-30T00:00:00Z", "2026-03-02T08:15:60Z", "2026-03-02T08:15:00+14:00", ""),
        ]
    ),
    st.timedeltas(timedelta(days=-40), timedelta(days=4)).map(lambda by: instant(NOW + by)),
)
WORDS = st.one_of(
    st.sampled_from(
        [
            *("", "\x00", "'; DROP TABLE mood; --", "<script>alert(1)</script>", "{{7*7}}", "%s"),
            *("../../etc/passwd", "a" * 33, "\ud83d\ude00", "r101\n", "ｒ１０１", "+", "#"),
        ]
    ),
    st.text(max_size=40),
)
COUNTS = st.dictionaries(
    st.sampled_from(["happy", "neutral", "other", "uncertain", "a" * 24, "x_-9", "Happy", ""]),
    NUMBERS,
    max_size=26,
)
ANYTHING = st.one_of(NUMBERS, TIMES, WORDS, COUNTS, st.none(), st.booleans(), st.just([[]]))
OF_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "start": TIMES,
    "at": TIMES,
    "boot": st.uuids().map(str) | WORDS,
    "counts": COUNTS,
    "clock": st.sampled_from(["synced", "unsynced"]),
    "model": st.from_regex(r"\A[0-9a-f]{12}\Z") | WORDS,
    "withheld": st.sampled_from(["few_faces", "paused", "no_camera", "headcount_only", None]),
}


@st.composite
def valid(draw: st.DrawFn) -> bytes:
    """What is taken, at the edges of what can be."""
    counts = draw(st.dictionaries(st.sampled_from(["happy", "other"]), st.integers(0, 10_000)))
    counts["uncertain"] = draw(st.integers(0, 50))
    faces = sum(counts.values())
    with_counts = faces <= 10_000 and draw(st.booleans())
    windows = draw(st.sampled_from([1, 1, 1, 2, 240]))
    fields = {
        "boot": str(draw(st.uuids())) if draw(st.booleans()) else MOOD["boot"],
        "seq": draw(st.integers(windows - 1, 2**53 - 1) | st.integers(windows - 1, 900)),
        "start": draw(TIMES),
        "seconds": draw(st.sampled_from([0.1 * windows, 15.0, 3600.0])),
        "clock": draw(OF_FIELDS["clock"]),
        "frames": draw(st.sampled_from([0, 10_000_000])),
        "faces": faces if with_counts else None,
        "counts": counts if with_counts else None,
        "withheld": None if with_counts else draw(st.sampled_from(["few_faces", "no_camera"])),
    }
    return json.dumps(MOOD | fields | ({"windows": windows} if windows > 1 else {})).encode()


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A mood or a status with some fields changed, taken out, or put in."""
    content = json.loads(json.dumps(draw(st.sampled_from([MOOD, STATUS]))))
    inner = content["health"] if "health" in content and draw(st.booleans()) else content
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(inner)) | st.just("windows") | WORDS)
        if draw(st.integers(0, 9)) == 0:
            inner.pop(name, None)
        else:
            inner[name] = draw(OF_FIELDS.get(name, ANYTHING) | ANYTHING)
    return json.dumps(content).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_hostile_values_then_a_restart(
    kind: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = [f"sqlite:///{tmp_path}/c{number}.sqlite" for number in range(2)]
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        fresh = [server.fresh(), server.fresh()]
    monkeypatch.setattr(bounds, "BURST", 1e9)  # all of them count, at once
    monkeypatch.setattr(bounds, "A_DAY", 1e9)
    engine = connect(fresh[0])
    registry = CollectorRegistry()
    ingest = Ingest(BrokerSettings(), "test", Store(engine), Rooms(), registry)
    monkeypatch.setattr(ingest.link, "publish", lambda *_, **__: None)
    good = [
        mood(room=OTHER[1], device=OTHER[1], seq=n, start=NOW - timedelta(seconds=600 - 15 * n))
        for n in range(40)
    ]
    Store(engine).add(good)
    repository = LessonRepository(engine)
    for room in (OWN, OTHER):
        lesson = repository.begin(*room, "Optics", "button", start=NOW.timestamp() - 600)
        assert lesson is not None
        repository.end(lesson, NOW.timestamp() + 60)
    tries = 0

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(valid(), valid(), hostile()))
    def send(payload: bytes) -> None:
        nonlocal tries
        tries += 1
        kind = "status" if b"roommood.status" in payload else "mood"
        ingest.receive(f"roommood/v1/{OWN[0]}/{OWN[1]}/{kind}", payload)
        if tries % 50 == 0:
            ingest.writer.finish()

    send()
    ingest.writer.finish()
    results = {
        f"{sample.labels['kind']} {sample.labels['result']}": int(sample.value)
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "roommood_messages_total"
    }
    print(f"\n{kind}: {tries} messages: {results}")
    assert tries >= CASES
    assert results["mood stored"] > CASES / 20
    assert results["mood refused"] > CASES / 20
    assert of_other(engine) == [one.seq for one in good]
    with School(tmp_path, database=fresh[0]) as school:
        check_pages(school, good)
    RetentionWorker(engine, lambda _: Retention()).round(time.time())
    assert of_other(engine) == [one.seq for one in good]
    state = tmp_path / "state"
    backup(engine, state, tmp_path / "b.tar.gz")
    second = connect(fresh[1])
    restore(second, tmp_path / "second", tmp_path / "b.tar.gz")
    assert of_other(second) == [one.seq for one in good]
    for one in (engine, second):
        one.dispose()


def check_pages(school: School, good: list[Mood]) -> None:
    """All answer, and the other room's say what they said."""
    with school.as_script() as script:
        for room in (OWN, OTHER):
            name = "/".join(room)
            for path in (f"/rooms/{name}", f"/api/rooms/{name}/moods", "/", "/api/rooms"):
                assert script.get(path).status_code == 200, path
        assert school.store.between(*OTHER, NOW - timedelta(hours=1), NOW) == good
        view = school.service.rooms.view(*OTHER)
        assert view.mood == good[-1]
        for lesson in school.repository.of():
            assert script.get(f"/api/lessons/{lesson.id}").status_code == 200
        (own,) = (one for one in school.repository.of() if one.room == OTHER[1])
        summary = script.get(f"/api/lessons/{own.id}").json()["summary"]
        assert summary["seconds_told"] == 600


def of_other(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        query = select(moods.c.seq).where(moods.c.room == OTHER[1]).order_by(moods.c.seq)
        return list(connection.execute(query).scalars())
