"""Connections that the database ended while nobody used them, and for how long one may wait."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from collector.storage.database import connect, make_engine, patient, url_to_show
from collector.storage.store import Store
from tests.conftest import mood
from tests.postgres import Postgres


def test_a_restarted_postgresql_costs_no_window_and_no_page(postgres: Postgres) -> None:
    url = postgres.fresh()
    engine = connect(url)
    store = Store(engine)
    store.add([mood(seq=0)])
    for attempt in (store.ping, lambda: store.add([mood(seq=1)])):
        _end_all(url)
        attempt()
    engine.dispose()


def _end_all(url: str) -> None:
    """As a restart of the server does."""
    other = create_engine(url)
    with other.connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
        connection.execute(text(f"{others} pg_backend_pid() AND datname = current_database()"))
    other.dispose()


def never(_waited_s: float) -> str:
    return ""


def timeout_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("SHOW statement_timeout")).scalar())


def test_a_statement_has_an_end_where_somebody_else_waits_behind_it(postgres: Postgres) -> None:
    """Commands have none; nor has what is known to take long, and what comes after it has."""
    url = postgres.fresh()
    engine, own = connect(url, never), connect(f"{url}?options=-c%20statement_timeout%3D5s", never)
    assert [timeout_of(one) for one in (engine, patient(engine), engine)] == ["1min", "0", "1min"]
    assert timeout_of(own) == "5s"
    command = connect(url)
    assert timeout_of(command) == "0"
    for one in (engine, own, command):
        one.dispose()


def test_the_address_has_the_last_word_on_the_networks_limits(postgres: Postgres) -> None:
    def parameters(url: str) -> dict[str, str]:
        engine = make_engine(url)
        with engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            assert driver is not None
            values: dict[str, str] = driver.info.get_parameters()
        engine.dispose()
        return values

    url = postgres.fresh()
    ours, theirs = parameters(url), parameters(f"{url}?connect_timeout=31&tcp_user_timeout=0")
    assert (ours["connect_timeout"], ours["tcp_user_timeout"]) == ("5", "20000")
    assert (theirs["connect_timeout"], theirs["tcp_user_timeout"]) == ("31", "0")
    assert ours["keepalives_idle"] == theirs["keepalives_idle"] == "10"


def test_nobody_waits_for_a_server_past_the_limit(postgres: Postgres) -> None:
    """Neither within a statement nor before one; the next connection is a new one."""
    url, reasons = postgres.fresh(), [""]
    engine = connect(url, lambda waited_s: "it hangs" if waited_s > 0.3 else reasons[0])
    with (
        engine.connect() as connection,
        postgres.hanging(),
        pytest.raises(OperationalError, match="it hangs"),
    ):
        connection.execute(text("SELECT 1"))
    reasons[0] = "known to hang"
    with pytest.raises(OperationalError, match="known to hang"):
        engine.connect()
    reasons[0] = ""
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://h/db?password=hunter2",
        "postgresql+psycopg://kim:hunter2@h:5432/db",
        "postgresql+psycopg://kim:hunter2@/db?host=/run/x",
    ],
)
def test_an_address_is_shown_without_its_secret(url: str) -> None:
    assert "hunter2" not in url_to_show(make_engine(url))
    assert "postgresql+psycopg://" in url_to_show(make_engine(url))
