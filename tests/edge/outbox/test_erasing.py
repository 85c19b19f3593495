"""What the collector erased leaves no trace on the device: not in the outbox, its log, its second
copy, nor in a damaged file that was set aside; and all else stays."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.outbox.store import Outbox
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
def test_nothing_is_left_in_any_file(tmp_path: Path, is_acknowledged: bool) -> None:
    path = tmp_path / "o.sqlite"
    (tmp_path / "o.damaged").write_bytes(MARK.encode())
    (tmp_path / "o.damaged-wal").write_bytes(MARK.encode())
    outbox = Outbox(path)
    outbox._db.execute("PRAGMA secure_delete=OFF")  # as SQLite is unless it is built otherwise
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
    outbox = Outbox(tmp_path / "o.sqlite")
    outbox._copy._most = 4000
    for seq in range(40):
        outbox.add(window(seq))
    before = list(outbox._copy.pending())
    newest = outbox._copy._now
    assert newest is not None
    name = Path(newest.name)
    assert outbox.erase("school", "r101", [span(before[2][1], before[4][1])]) == 2
    outbox.add(window(40))
    assert outbox._copy._now is not None
    assert Path(outbox._copy._now.name) == name
    assert [seq for _, seq in outbox._copy.pending()] == [
        seq for _, seq in before if not before[2][1] <= seq < before[4][1]
    ] + [40]
    outbox.close()


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
