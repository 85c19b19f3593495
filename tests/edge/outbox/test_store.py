from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from edge.common.errors import UserError
from edge.outbox.store import Outbox
from edge.outbox.windows_file import RESERVE
from edge.protocol.messages import Mood
from tests.conftest import BOOT, mood
from tests.free import full_disk


def window(seq: int) -> Mood:
    """The seq-th of a lesson of 15-second windows."""
    return mood(seq=seq, start=mood().start + timedelta(seconds=15 * seq))


def test_windows_wait_in_order_until_acknowledged(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    for seq in range(3):
        outbox.add(mood(seq=seq))
    outbox.remove(BOOT, 1)
    outbox.remove(BOOT, 7)
    outbox.remove(uuid4(), 0)
    assert [m.seq for m in outbox.pending(10)] == [0, 2]
    assert [m.seq for m in outbox.pending(1)] == [0]
    assert len(outbox) == 2


def test_a_restart_keeps_them(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "state" / "o.sqlite")
    first.add(mood(seq=5))
    first.close()
    assert Outbox(tmp_path / "state" / "o.sqlite").pending(9) == [mood(seq=5)]


def test_a_full_outbox_merges_the_oldest_and_loses_no_time(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite", max_bytes=100_000)
    for seq in range(2000):
        outbox.add(window(seq))
    windows = outbox.pending(5000)
    assert outbox.drop_count == 0
    assert outbox.merge_count == 2000 - len(windows) > 500
    assert sum(one.windows for one in windows) == 2000
    assert sum(one.seconds for one in windows) == pytest.approx(2000 * 15)
    assert windows[-1] == window(1999)  # the newest in full
    assert windows[0].windows > windows[-1].windows
    ends = 0
    for one in windows:
        assert one.seq - one.windows + 1 == ends
        ends = one.seq + 1
    assert (tmp_path / "o.sqlite").stat().st_size < 200_000 + RESERVE


def test_where_nothing_can_be_merged_the_oldest_go(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite", max_bytes=100_000)
    for seq in range(0, 3000, 2):  # each a gap from the next
        outbox.add(window(seq))
    windows = outbox.pending(5000)
    assert outbox.merge_count == 0
    assert outbox.drop_count == 1500 - len(windows) > 0
    assert windows[-1].seq == 2998


def test_a_late_acknowledgement_does_not_remove_what_was_merged_since(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite", max_bytes=100_000)
    for seq in range(800):
        outbox.add(window(seq))
    oldest = outbox.pending(1)[0]
    assert oldest.windows > 1
    outbox.remove(BOOT, oldest.seq)
    assert outbox.pending(1) == [oldest]
    outbox.remove(BOOT, oldest.seq, oldest.windows)
    assert outbox.pending(1) != [oldest]


def count_bytes() -> int:
    """Bytes that this process had the disk write, or wrote to files, whichever is more."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return max(int(lines["write_bytes"]), int(lines["wchar"]))


def test_an_hour_of_windows_writes_little_to_an_sd_card(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    before = count_bytes()
    for seq in range(240):
        outbox.add(window(seq))
        outbox.remove(BOOT, seq)
    assert 0 < count_bytes() - before <= 5_000_000


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"o\.sqlite: cannot open the outbox .* set 'state'"):
        Outbox(tmp_path / "file" / "o.sqlite")


def test_a_file_that_is_no_database_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "o.sqlite").write_text("not a database, but long enough to look at" * 99)
    outbox = Outbox(tmp_path / "o.sqlite")
    outbox.add(mood())
    assert outbox.pending(9) == [mood()]
    assert (tmp_path / "o.damaged").read_text().startswith("not a database")


def test_what_can_be_read_of_a_damaged_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    for seq in range(400):
        outbox.add(window(seq))
    outbox.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 3 // 512 * 512
    content[middle : middle + 512] = b"\xff" * 512
    path.write_bytes(content)
    for copy in tmp_path.glob("o.copy?"):
        copy.unlink()
    windows = Outbox(path).pending(1000)
    assert 10 < len(windows) < 400
    assert windows == [window(one.seq) for one in windows]


def test_the_second_copy_gives_back_what_the_damaged_file_cannot(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    for seq in range(400):
        outbox.add(window(seq))
    outbox.close()
    path.write_bytes(b"\xff" * 100_000)
    with (tmp_path / "o.copy0").open("ab") as copy:
        copy.write(b"00000000 {}\n cut sho")
    again = Outbox(path)
    again.add(window(400))
    assert again.pending(1000) == [window(seq) for seq in range(401)]


def test_damage_under_a_running_agent_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    for seq in range(4000):  # more than SQLite remembers without looking
        outbox.add(window(seq))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    assert outbox.pending(5000) == [window(seq) for seq in range(4000)]
    outbox.add(window(4000))
    assert outbox.newest() == window(4000)
    assert outbox.trouble == ""
    assert (tmp_path / "o.damaged").exists()


def test_a_flipped_digit_is_not_taken_for_a_count(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    for seq in range(3):
        outbox.add(window(seq))
    outbox.close()
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        content = window(1).encode().replace(b'"frames":30', b'"frames":31')
        file.execute("UPDATE window SET mood = ? WHERE seq = 1", (content,))
    assert Outbox(path).pending(9) == [window(seq) for seq in range(3)]


def test_a_disk_that_somebody_fills_does_not_matter_at_once(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    with full_disk(path.with_name("o.sqlite-wal").stat().st_size):
        for seq in range(300):
            outbox.add(window(seq))
        assert outbox.trouble == ""
    assert Outbox(path).pending(999) == [window(seq) for seq in range(300)]


def test_windows_wait_in_memory_while_the_disk_takes_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path)
    outbox.add(window(0))
    with full_disk(100):
        for seq in range(1, 40):
            outbox.add(window(seq))
        assert outbox.trouble
        assert len(outbox) == 40
        assert outbox.newest() == window(39)
        assert outbox.pending(999) == [window(seq) for seq in range(40)]
        outbox.remove(BOOT, 20)
        assert len(outbox) == 39
    outbox.add(window(40))
    assert outbox.trouble == ""
    outbox.close()
    assert [one.seq for one in Outbox(path).pending(99)] == [n for n in range(41) if n != 20]
    messages = [record.message for record in caplog.records]
    assert len([line for line in messages if "wait in memory" in line]) == 1
    assert "outbox: writing to the disk works again" in messages


def test_a_file_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE window (id INTEGER PRIMARY KEY, boot TEXT NOT NULL,"
            " seq INTEGER NOT NULL, mood BLOB NOT NULL, UNIQUE (boot, seq))"
        )
        row = (str(BOOT), 0, mood().encode())
        old.execute("INSERT INTO window (boot, seq, mood) VALUES (?, ?, ?)", row)
    outbox = Outbox(path)
    assert outbox.pending(9) == [mood()]
    outbox.remove(BOOT, 0)
    assert len(outbox) == 0
