from __future__ import annotations

from pathlib import Path

import pytest

from tests.collector.storage.places import Place
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(tmp_path, f"sqlite:///{tmp_path}/c.sqlite")
    server: Postgres = request.getfixturevalue("postgres")
    return Place(tmp_path, server.fresh(), server)
