"""Notes and marks that outlast a database: what is wrong in them takes nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from collector.storage import resend_mark
from collector.storage.database import begin, connect
from collector.storage.erasure_notes import Erasure, ErasureNotes
from collector.storage.sole_use import SoleUse
from collector.storage.store import Store
from collector.storage.tables import metadata, moods
from edge.common.errors import UserError
from tests.conftest import mood

ONE = Erasure("school", "r101", 0.0, 5.0)


@pytest.mark.parametrize("line", ["[]", "null", "7", '"x"', "{}", '{"site": "s"', "\x00"])
def test_a_line_of_the_erasures_that_is_none_costs_no_other(tmp_path: Path, line: str) -> None:
    notes = ErasureNotes(tmp_path)
    notes.add([ONE])
    with notes.path.open("a") as file:
        file.write(f"{line}\n")
    other = ONE._replace(room="r102")
    notes.add([other])
    assert notes.read() == [ONE, other]


def test_a_note_that_a_disk_takes_in_parts_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, rest: write(file, rest[:7]))
    notes = ErasureNotes(tmp_path)
    notes.add([ONE])
    monkeypatch.undo()
    assert notes.read() == [ONE]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_windows_that_came_by_a_clock_ahead_hide_none_that_were_lost(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The newest honest one is three days old; two came while the clock was days or months ahead,
    and those since the three days are wanted all the same."""
    url = f"sqlite:///{tmp_path}/c.sqlite"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    engine, now = connect(url), time.time()
    Store(engine).add([mood(seq=n) for n in range(3)])
    times = {0: now + 2 * 86_400, 1: now + 300 * 86_400, 2: now - 3 * 86_400}
    with begin(engine) as connection:
        for seq, at in times.items():
            connection.execute(update(moods).where(moods.c.seq == seq).values(received=at))
        assert resend_mark.mark(connection) == times[2] - resend_mark.EARLIER_S
    engine.dispose()


def test_one_file_by_two_names_is_one_database(tmp_path: Path) -> None:
    file, link = tmp_path / "c.sqlite", tmp_path / "link.sqlite"
    file.touch()
    link.symlink_to(file)
    engines = [create_engine(f"sqlite:///{path}") for path in (file, link)]
    use = SoleUse(engines[0])
    with pytest.raises(UserError, match="another collector is using it"):
        SoleUse(engines[1], patience_s=0.0)
    use.end()
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("fate", ["moved", "deleted", "replaced"])
def test_a_file_that_goes_away_under_a_collector_is_noticed(tmp_path: Path, fate: str) -> None:
    file = tmp_path / "c.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    use = SoleUse(engine)
    use.keep()
    if fate == "deleted":
        file.unlink()
    else:
        file.rename(tmp_path / "elsewhere.sqlite")
    if fate == "replaced":
        file.touch()
    with pytest.raises(UserError, match=r"moved, replaced or deleted.*put it back"):
        use.keep()
    use.end()
    engine.dispose()
