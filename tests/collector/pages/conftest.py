from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.school import OTHER, OWN, School


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    """One for each test, with its staff, and windows in two rooms."""
    with School(tmp_path) as server:
        server.staff()
        for room in (OWN, OTHER):
            server.windows(room)
        yield server
