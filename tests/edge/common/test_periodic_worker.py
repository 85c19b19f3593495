"""Work that is done again and again goes on whatever happens."""

from __future__ import annotations

import pytest

from edge.common.periodic_worker import Rounds
from tests.free import wait


class Trouble(Rounds):
    """Fails in its first three rounds, in two ways."""

    def __init__(self) -> None:
        super().__init__("trouble", 0.01)
        self.seen = 0

    def look(self) -> None:
        self.seen += 1
        if self.seen < 3:
            raise OSError("no space left\nand more that nobody reads")
        if self.seen == 3:
            raise ValueError


def test_trouble_is_said_once_and_the_rounds_go_on(caplog: pytest.LogCaptureFixture) -> None:
    work = Trouble()
    work.stop()  # before it was started
    work = Trouble()
    work.start()
    wait(lambda: work.seen > 5)
    work.stop()
    seen = work.seen
    told = [
        record.getMessage()
        for record in caplog.records
        if record.name == "edge.common.periodic_worker"
    ]
    assert told == ["trouble: no space left", "trouble: ValueError"]
    assert work.seen == seen
