from __future__ import annotations

from pathlib import Path

import pytest

from tests.collector.backups.place import Place
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """With a database of each kind."""
    url = f"sqlite:///{tmp_path}/c.sqlite"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.with_tables()
    one = Place(tmp_path, url, tmp_path / "backups", keep=3)
    one.fill(50)
    return one


@pytest.fixture
def school(tmp_path: Path) -> Place:
    """With SQLite, where the database does not matter."""
    one = Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite", tmp_path / "backups", keep=3)
    one.fill(20)
    return one
