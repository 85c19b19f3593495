"""What the collector erased leaves no trace on the device: not in the outbox, its log, its second
copy, nor in a damaged file that was set aside; and all else stays."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.outbox.second_copy import SecondCopy
from edge.outbox.store import Outbox
from edge.outbox.windows_file import open_windows
from edge.protocol.erasure import commands, is_within, join
from edge.protocol.messages import MAX_BYTES, Command, Mood, decode
from tests.conftest import mood

START = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
MARK = "f00dfeedbeef"


def window(seq: int, **changes: object) -> Mood:
    return mood(**{"seq": seq, "start": START + timedelta(seconds=15 * seq), **changes})


def span(first: int, last: int) -> tuple[float, float]:
    begin = START.timestamp()
    return begin + 15 * first, begin + 15 * last


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_nothing_is_left_in_any_file(
    tmp_path: Path, is_acknowledged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "o.sqlite"
    (tmp_path / "o.damaged").write_bytes(MARK.encode())
    (tmp_path / "o.damaged-wal").write_bytes(MARK.encode())

    def open_insecure(path: Path, copy: SecondCopy) -> sqlite3.Connection:
        """As SQLite is unless it is built otherwise."""
        db = open_windows(path, copy)
        db.execute("PRAGMA secure_delete=OFF")
        return db

    monkeypatch.setattr("edge.outbox.store.open_windows", open_insecure)
    outbox = Outbox(path)
    for seq in range(1540):
        outbox.add(window(seq, model=MARK if 10 <= seq < 1510 else "0" * 12))
        if is_acknowledged:
            outbox.remove(window(seq).boot, seq)
    outbox.add(window(15, room="r102", boot="0" * 8 + str(window(0).boot)[8:]))
    assert outbox.erase("school", "r101", [span(10, 1510)]) == 1500
    files = [file for file in tmp_path.iterdir() if MARK.encode() in file.read_bytes()]
    assert files == []
    left = {*range(10), *range(1510, 1540)}
    assert outbox.resend(START - timedelta(days=1)) == (40 if is_acknowledged else 0)
    assert {one.seq for one in outbox.pending(100, "school/r101")} == left
    assert [one.seq for one in outbox.pending(100, "school/r101", other=True)] == [15]
    outbox.close()
    again = Outbox(path)  # the second copy is taken in
    assert {one.seq for one in again.pending(100, "school/r101")} == left
    outbox = again
    outbox.add(window(50))
    outbox.close()


def test_of_both_files_of_the_second_copy_the_newer_stays_the_newer(tmp_path: Path) -> None:
    copy = SecondCopy(tmp_path / "o.sqlite", 4000)

    def newest() -> Path:
        return max(tmp_path.glob("o.copy*"), key=lambda path: path.stat().st_mtime_ns)

    for seq in range(40):
        copy.append(window(seq))
    before, file = [seq for _, seq in copy.pending()], newest()
    first, last = before[2], before[4]
    assert copy.erase(lambda one: first <= one.seq < last) == 2
    copy.append(window(40))
    assert newest() == file
    left = [seq for seq in before if not first <= seq < last]
    assert [seq for _, seq in copy.pending()] == [*left, 40]
    copy.close()


times = st.floats(min_value=0, max_value=4e9).map(lambda at: round(at, 6))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(times, times).map(sorted), min_size=1, max_size=60), times)
def test_the_messages_say_the_same_times(spans: list[list[float]], at: float) -> None:
    """Each fits, and a window is within them exactly if it is within those that were erased."""
    erasures = [(begin, end) for begin, end in spans]
    messages = [decode(Command, one.encode()) for one in commands(erasures)]
    assert all(len(one.encode()) <= MAX_BYTES for one in messages)
    moments = [(b.timestamp(), e.timestamp()) for one in messages for b, e in one.spans or ()]
    assert len(moments) == len(join(erasures))
    for instant in (at, *(edge for one in erasures for edge in one)):
        some = mood(start=datetime.fromtimestamp(int(instant * 1000) / 1000, timezone.utc))
        # As it is encoded, to the millisecond.
        read = decode(Mood, some.encode())
        here = any(is_within(read, *one) for one in erasures)
        assert any(is_within(read, *one) for one in moments) == here


def test_a_damaged_file_goes_whatever_else_had_of_it(tmp_path: Path) -> None:
    """It may hold what nothing else has, in the part that could not be read."""
    outbox = Outbox(tmp_path / "o.sqlite")
    outbox.add(window(99))
    (tmp_path / "o.damaged").write_bytes(MARK.encode())
    (tmp_path / "o.damaged-wal").write_bytes(MARK.encode())
    assert outbox.erase("school", "r101", [span(0, 5)]) == 0
    assert not list(tmp_path.glob("o.damaged*"))
    outbox.close()


def test_every_room_is_known_of_which_something_is_kept(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    outbox.add(window(1, room="r102"))
    outbox.add(window(2))
    outbox.remove(window(2).boot, 2)
    assert outbox.rooms() == {"school/r102"}
    assert outbox.every_room() == {"school/r101", "school/r102"}
    outbox.close()
