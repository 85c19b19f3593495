from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from edge.errors import Refusal
from edge.outbox import Outbox
from tests.conftest import BOOT, mood


def test_windows_wait_in_order_until_acknowledged(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    for seq in range(3):
        outbox.add(mood(seq=seq))
    outbox.remove(BOOT, 1)
    outbox.remove(BOOT, 7)
    outbox.remove(uuid4(), 0)
    assert [m.seq for m in outbox.waiting(10)] == [0, 2]
    assert [m.seq for m in outbox.waiting(1)] == [0]
    assert len(outbox) == 2


def test_a_restart_keeps_them(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "state" / "o.sqlite")
    first.add(mood(seq=5))
    first.close()
    assert Outbox(tmp_path / "state" / "o.sqlite").waiting(9) == [mood(seq=5)]


def test_a_full_outbox_drops_the_oldest(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite", max_windows=3)
    for seq in range(6):
        outbox.add(mood(seq=seq))
    assert [m.seq for m in outbox.waiting(9)] == [3, 4, 5]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match=r"o\.sqlite: no outbox .* set 'state'"):
        Outbox(tmp_path / "file" / "o.sqlite")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "o.sqlite").write_text("not a database, but long enough to look at" * 99)
    with pytest.raises(Refusal, match=r"o\.sqlite: no outbox"):
        Outbox(tmp_path / "o.sqlite")
