"""A device's outbox, and a listener at a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.outbox.store import Outbox
from tests.conftest import Mosquitto
from tests.edge.transport.publishers import Listener


@pytest.fixture
def listener(mosquitto: Mosquitto) -> Iterator[Listener]:
    new_listener = Listener(mosquitto.port)
    yield new_listener
    new_listener.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.sqlite")
