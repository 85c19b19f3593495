"""No hot query reads a whole table of windows: the database's own plan says so, on both kinds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from collector.config import Retention
from collector.retention.worker import RetentionWorker
from collector.storage.database import connect
from collector.storage.store import IS_MERGE, Store, WindowPosition
from collector.storage.tables import moods
from deploy.bench.history.fill import fill
from tests.conftest import mood
from tests.postgres import Postgres

ROWS, ROOMS = 60_000, 40
NOW = time.time()
SINCE = datetime.fromtimestamp(NOW, timezone.utc) - timedelta(hours=1)
UNTIL = SINCE + timedelta(hours=1)
HERE = ("school", "r0007", SINCE, UNTIL)
NEW = [mood(room=f"r{n:04d}", device=f"r{n:04d}", start=UNTIL) for n in range(1, 30)]

EARLY = WindowPosition(UNTIL.timestamp() - 1800, 50_000)
LATE = WindowPosition(UNTIL.timestamp() - 900, 50_000)

ROOM = ("%(room_1)s::VARCHAR", "$1")

pytestmark = pytest.mark.once


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[Engine]:
    file = tmp_path_factory.mktemp("plans") / "c.sqlite"
    engine = connect(f"sqlite:///{file}" if request.param == "sqlite" else postgres.fresh())
    fill(engine, ROWS, ROOMS, NOW)
    yield engine
    engine.dispose()


HOT: dict[str, Callable[[Engine], Any]] = {
    "a batch of windows": lambda engine: Store(engine).add(NEW),
    "a merged window": lambda engine: Store(engine).add(
        [mood(seq=9, windows=4, seconds=60.0, start=UNTIL)]
    ),
    "where a page of the API begins": lambda engine: Store(engine).oldest_of_page(*HERE, 100),
    "where the page after it does": lambda engine: Store(engine).oldest_of_page(*HERE, 100, LATE),
    "a page of the API": lambda engine: list(Store(engine).in_parts(*HERE, EARLY)),
    "the page after it": lambda engine: list(Store(engine).in_parts(*HERE, EARLY, LATE)),
    "a lesson's windows": lambda engine: Store(engine).reaching(*HERE),
    "whether a report is fresh": lambda engine: Store(engine).state(*HERE),
    "what rooms showed, at the start": lambda engine: Store(engine).latest(),
    "a room's last hours, at the start": lambda engine: Store(engine).before(
        mood(room="r0007", start=UNTIL), 3600.0
    ),
    "the rooms": lambda engine: Store(engine).rooms(),
    "retention, nothing due": lambda engine: RetentionWorker(engine, lambda _: Retention()).round(
        NOW
    ),
    "retention, some due": lambda engine: RetentionWorker(engine, lambda _: Retention()).round(
        NOW + 29.8 * 86_400
    ),
}


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_reads_by_index(large: Engine, name: str) -> None:
    statements: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if " mood" in statement and not statement.startswith("EXPLAIN"):
            statements.append((statement, parameters))

    event.listen(large, "before_cursor_execute", keep)
    try:
        HOT[name](large)
    finally:
        event.remove(large, "before_cursor_execute", keep)
    assert statements
    word = "EXPLAIN QUERY PLAN" if large.dialect.name == "sqlite" else "EXPLAIN"
    for statement, parameters in dict(statements).items():
        plan = _plan(large, f"{word} {statement}", parameters)
        assert not _scans(plan), f"{statement}\n{plan}"
        assert "retention" not in name or "Semi Join" not in plan, f"{statement}\n{plan}"


def test_a_batch_is_stored_by_index_once_its_statements_are_prepared(large: Engine) -> None:
    """PostgreSQL's plan for any values, which it takes after some rounds with one connection."""
    if large.dialect.name == "sqlite":
        pytest.skip("plans each statement once, for all values")
    query = select(moods.c.id).where(IS_MERGE, moods.c.room == "r0007").compile(large)
    with large.connect() as connection:
        connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        connection.exec_driver_sql(f"PREPARE merged(text) AS {query}".replace(*ROOM))
        plan = connection.exec_driver_sql("EXPLAIN EXECUTE merged('r0007')").all()
    assert any("mood_merged" in str(row[0]) for row in plan), plan


def test_a_scan_would_be_noticed(large: Engine, tmp_path: Path) -> None:
    word = "EXPLAIN QUERY PLAN" if large.dialect.name == "sqlite" else "EXPLAIN"
    everything = f"{word} SELECT site, room, max(id) FROM mood GROUP BY site, room"
    assert _scans(_plan(large, everything, ()))
    assert _scans(_plan(large, f"{word} SELECT id FROM mood WHERE frames = 3", ()))


def _plan(engine: Engine, statement: str, parameters: Any) -> str:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def _scans(plan: str) -> bool:
    """Whether all windows are read: one after the other, or an index from end to end."""
    whole = [
        line for line in plan.splitlines() if "SCAN mood" in line or "Seq Scan on mood" in line
    ]
    return any("mood_merged" not in line for line in whole)  # which holds merged ones alone
