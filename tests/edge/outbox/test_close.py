"""Whoever still uses an outbox that was closed is at fault; its file is not damaged by that."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.outbox.store import Outbox, OutboxClosed
from edge.outbox.windows_file import DamagedRow, is_damage
from tests.conftest import BOOT, mood

USES: dict[str, Callable[[Outbox], object]] = {
    "add": lambda outbox: outbox.add(mood(seq=9)),
    "waiting": lambda outbox: outbox.pending(5),
    "newest": Outbox.newest,
    "remove": lambda outbox: outbox.remove(BOOT, 0),
    "count": len,
}


@pytest.mark.parametrize("use", USES)
def test_a_closed_outbox_is_not_taken_for_a_damaged_one(use: str, tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    outbox.add(mood())
    outbox.close()
    with pytest.raises(OutboxClosed):
        USES[use](outbox)
    assert not path.with_suffix(".damaged").exists()
    assert Outbox(path).pending(9) == [mood()]


def test_nor_is_one_that_is_closed_while_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox, others = Outbox(path), list[BaseException]()
    outbox.add(mood())

    def use(action: Callable[[Outbox], object]) -> None:
        try:
            while True:
                action(outbox)
        except OutboxClosed:
            return
        except Exception as error:
            others.append(error)

    reading = ("waiting", "newest", "count")
    threads = [threading.Thread(target=use, args=(USES[name],)) for name in reading]
    for thread in threads:
        thread.start()
    outbox.close()
    for thread in threads:
        thread.join(10)
    assert others == []
    assert not path.with_suffix(".damaged").exists()


@pytest.mark.parametrize(
    ("error", "damage"),
    [
        (sqlite3.DatabaseError("database disk image is malformed"), True),
        (sqlite3.InternalError("unexpected"), True),
        (DamagedRow("a window is not as it was written"), True),
        (sqlite3.OperationalError("database or disk is full"), False),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), False),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), False),
        (sqlite3.DataError("string or blob too big"), False),
        (sqlite3.InterfaceError("bad parameter or other API misuse"), False),
        (sqlite3.NotSupportedError("not here"), False),
    ],
)
def test_damage_is_what_the_file_is_to_blame_for(error: Exception, damage: bool) -> None:
    assert is_damage(error) is damage
