"""Nor does a query for lessons, people, or the audit log read a whole table, on either database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.access.sessions import Sessions
from collector.lessons.checkins import CheckIns
from collector.lessons.repository import LessonFilter, LessonRepository
from collector.storage.database import connect
from collector.storage.tables import (
    account_rooms,
    accounts,
    audit,
    checkins,
    lessons,
    links,
    markers,
    sessions,
    tokens,
)
from tests.postgres import Postgres

MANY = 12_000
NOW = time.time()
HERE = ("school", "r07")

pytestmark = pytest.mark.once


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[Engine]:
    """A school of some years."""
    file = tmp_path_factory.mktemp("plans") / "c.sqlite"
    engine = connect(f"sqlite:///{file}" if request.param == "sqlite" else postgres.fresh())
    each: dict[Any, Callable[[int], dict[str, Any]]] = {
        accounts: lambda n: {
            **{"id": n, "name": f"p{n}", "role": "teacher", "created": NOW},
            **{"subject": f"s{n}", "timetable": f"t{n}"},
        },
        account_rooms: lambda n: {"account": n, "site": "school", "room": f"r{n % 40:02d}"},
        lessons: lambda n: {
            **{"id": n, "site": "school", "room": f"r{n % 40:02d}", "title": f"class {n % 300}"},
            **{"start": NOW - 900 * n, "end": NOW - 900 * n + 800, "how": "timetable"},
            **{"account": n % 200 + 1, "summary": {"x": "y" * 300}, "notes": "", "code": None},
        },
        markers: lambda n: {"id": n, "lesson": n, "at": NOW, "text": "x"},
        checkins: lambda n: {"lesson": n, "round": 1, "answer": "good", "count": 1},
        audit: lambda n: {
            **{"number": n, "at": NOW - MANY + n, "who": "ann", "what": "sign-in"},
            **{"about": "", "hash": "0" * 64},
        },
        links: lambda n: {
            **{"id": n, "secret": f"l{n}", "role": "viewer", "site": "school"},
            **{"room": f"r{n % 40:02d}", "made_by": "ann", "expires": NOW + n, "account": n},
        },
        sessions: lambda n: {"secret": f"s{n}", "account": n, "link": None, "expires": NOW + n},
        tokens: lambda n: {
            **{"id": n, "secret": f"t{n}", "account": n, "name": "x", "scopes": "read"},
            **{"expires": NOW + n},
        },
    }
    with engine.begin() as connection:
        for table, row in each.items():
            connection.execute(insert(table), [row(n) for n in range(1, MANY + 1)])
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    yield engine
    engine.dispose()


def log_of(engine: Engine, folder: Path) -> AuditLog:
    return AuditLog(engine, folder, own_key(folder))


QUERIES: dict[str, Callable[[Engine, Path], Any]] = {
    "what goes on": lambda engine, _: LessonRepository(engine).running(),
    "what goes on in a room": lambda engine, _: LessonRepository(engine).running(*HERE),
    "lessons without averages": lambda engine, _: LessonRepository(engine).ended_without_summary(),
    "a lesson": lambda engine, _: LessonRepository(engine).lesson(70),
    "a check-in's code": lambda engine, _: LessonRepository(engine).by_code("abcde"),
    "the list of lessons": lambda engine, _: LessonRepository(engine).of(),
    "a teacher's lessons": lambda engine, _: LessonRepository(engine).of(7, frozenset([HERE])),
    "the lessons of a week": lambda engine, _: LessonRepository(engine).of(
        only=LessonFilter(begin=NOW - 7 * 86_400, end=NOW)
    ),
    "earlier lessons of a class": lambda engine, _: LessonRepository(engine).earlier(
        LessonRepository(engine).lesson(70)
    ),
    "a lesson's markers": lambda engine, _: LessonRepository(engine).markers(
        LessonRepository(engine).lesson(70)
    ),
    "a lesson's check-ins": lambda engine, _: CheckIns(engine).rounds(
        LessonRepository(engine).lesson(70)
    ),
    "who a session is of": lambda engine, _: Sessions(engine, Accounts(engine)).of_cookie("x"),
    "who a token is of": lambda engine, _: Sessions(engine, Accounts(engine)).of_token("x"),
    "an account by its name": lambda engine, _: Accounts(engine).by_name("p70"),
    "the audit log's head": lambda engine, folder: log_of(engine, folder).head(),
    "the audit log's newest": lambda engine, folder: log_of(engine, folder).newest(50),
    "an entry in the audit log": lambda engine, folder: log_of(engine, folder).add("ann", "x"),
    "the audit log, nothing to prune": lambda engine, folder: log_of(engine, folder).prune(1.0),
}
LISTS = ("the list of lessons", "the lessons of a week", "the audit log's newest")
"""Which are read in their order, and not all of them sorted to show some."""


@pytest.mark.parametrize("name", QUERIES)
def test_it_reads_by_index(full: Engine, name: str, tmp_path: Path) -> None:
    statements: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")) and "pg_" not in statement:
            statements.append((statement, parameters))

    event.listen(full, "before_cursor_execute", keep)
    try:
        QUERIES[name](full, tmp_path)
    finally:
        event.remove(full, "before_cursor_execute", keep)
    assert statements
    word = "EXPLAIN QUERY PLAN" if full.dialect.name == "sqlite" else "EXPLAIN"
    for statement, parameters in dict(statements).items():
        with full.connect() as connection:
            rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
        plan = "\n".join(str(row[-1]) for row in rows)
        assert not scans(plan), f"{statement}\n{plan}"
        if name in LISTS:
            assert "TEMP B-TREE" not in plan, f"{statement}\n{plan}"
            assert "Sort" not in plan, f"{statement}\n{plan}"


def scans(plan: str) -> bool:
    """A table from end to end; SQLite goes through the audit log by its number without saying so,
    which stops at what was asked."""
    whole = re.findall(r"Seq Scan on (\w+)|SCAN (\w+)(?! USING)\b(?! USING)", plan)
    return any(name != "audit" for pair in whole for name in pair if name)


def test_a_scan_would_be_noticed(full: Engine) -> None:
    word = "EXPLAIN QUERY PLAN" if full.dialect.name == "sqlite" else "EXPLAIN"
    with full.connect() as connection:
        query = f"{word} SELECT id FROM lesson WHERE notes = 'x'"
        rows = connection.exec_driver_sql(query).all()
    assert scans("\n".join(str(row[-1]) for row in rows))
