"""SQLite's lock is a file of ours beside it, which somebody who tidies up may delete."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collector.storage.database import connect
from collector.storage.sole_use import SoleUse
from edge.common.errors import UserError

pytestmark = pytest.mark.once


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "c.sqlite.lock"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    one = connect(f"sqlite:///{tmp_path}/c.sqlite")
    yield one
    one.dispose()


def test_a_lock_file_that_was_deleted_is_made_anew(
    engine: Engine, lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    use = SoleUse(engine)
    caplog.set_level(logging.WARNING)
    use.keep()
    assert caplog.text == ""
    lock.unlink()
    use.keep()
    assert "its lock file was deleted or replaced: made anew" in caplog.text
    with pytest.raises(UserError, match="another collector is using it"):
        SoleUse(engine, 0.0)
    use.keep()
    assert caplog.text.count("made anew") == 1
    use.end()
    SoleUse(engine, 0.0).end()


def test_one_that_was_replaced_too(engine: Engine, lock: Path) -> None:
    use = SoleUse(engine)
    lock.rename(lock.with_name("away"))
    lock.write_bytes(b"")
    use.keep()
    with pytest.raises(UserError, match="another collector is using it"):
        SoleUse(engine, 0.0)
    use.end()


def test_whoever_lost_it_to_another_meanwhile_says_so_from_then_on(
    engine: Engine, lock: Path
) -> None:
    use = SoleUse(engine)
    lock.unlink()
    other = SoleUse(engine, 0.0)
    for _ in range(2):
        with pytest.raises(UserError, match="took it when this one's lock file had been deleted"):
            use.keep()
    other.keep()
    other.end()
    with pytest.raises(UserError, match="took it when"):  # what that one wrote is not known here
        use.keep()
    use.end()
