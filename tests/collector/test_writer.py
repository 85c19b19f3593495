"""What the writer does with windows between their commit and the look for what was erased."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from collector.ingest.writer import Writer
from collector.live.rooms import Rooms
from collector.storage.store import Store
from edge.protocol.messages import Mood
from tests.conftest import mood


def test_a_database_that_goes_after_the_commit_lets_nothing_through_and_loses_nothing(
    engine: Engine,
) -> None:
    """The second try finds the windows stored, and looks for what was erased all the same."""
    acknowledgements, announcements = list[int](), list[int]()
    tries: list[Sequence[Mood]] = []

    def find_erasures(moods: Sequence[Mood]) -> list[Mood]:
        tries.append(moods)
        if len(tries) == 1:
            raise OperationalError("SELECT", None, Exception("gone"))
        return [one for one in moods if one.seq == 1]

    writer = Writer(
        Store(engine),
        Rooms(),
        Counter("x", "x", ["kind", "result"], registry=CollectorRegistry()),
        lambda one, _ack: acknowledgements.append(one.seq),
        lambda one: announcements.append(one.seq),
        find_erasures,
    )
    for seq in range(3):
        writer.put(mood(seq=seq))
    with pytest.raises(OSError, match="agents keep their windows"):
        writer.run_once()
    assert (acknowledgements, announcements, writer.storing) == ([], [], False)
    writer.run_once()
    assert (acknowledgements, announcements, writer.storing) == ([0, 1, 2], [0, 2], True)
    latest = Store(engine).state("school", "r101", mood().start, mood().start.replace(year=2027))
    assert latest[0] == 2
