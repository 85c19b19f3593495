"""Connections that the database ended while nobody used them."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from collector.storage.database import connect
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
