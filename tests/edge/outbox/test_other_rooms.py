"""The state folder is taken away, replaced, mounted; the log is cut short: no window is lost."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from edge.outbox.second_copy import SecondCopy
from edge.outbox.store import Outbox
from edge.protocol.messages import Mood
from tests.conftest import BOOT, ROOT, mood


def window(seq: int) -> Mood:
    return mood(seq=seq, start=mood().start + timedelta(seconds=15 * seq))


def numbers(outbox: Outbox) -> list[int]:
    return [one.seq for one in outbox.pending(9999)]


def test_a_state_folder_that_is_deleted_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    outbox = Outbox(state / "o.sqlite")
    for seq in range(20):
        outbox.add(window(seq))
    outbox.remove(BOOT, 3)
    shutil.rmtree(state)
    outbox.add(window(20))
    assert "20 windows" not in caplog.text
    assert "o.sqlite: was taken away" in caplog.text
    assert "19 windows come along" in caplog.text
    outbox.close()
    assert numbers(Outbox(state / "o.sqlite")) == [n for n in range(21) if n != 3]


def test_it_is_noticed_without_a_new_window_too(tmp_path: Path) -> None:
    state = tmp_path / "state"
    outbox = Outbox(state / "o.sqlite")
    outbox.add(window(0))
    shutil.rmtree(state)
    assert numbers(outbox) == [0]
    assert (state / "o.sqlite").exists()
    assert outbox.move_count == 1


def test_what_was_stored_beside_a_disk_comes_along_when_it_is_mounted(tmp_path: Path) -> None:
    """As a mount does: another folder has the name, and later the first one again."""
    state, disk = tmp_path / "state", tmp_path / "disk"
    outbox = Outbox(state / "o.sqlite")
    outbox.add(window(0))
    state.rename(disk)
    outbox.add(window(1))
    shutil.rmtree(state)
    disk.rename(state)
    outbox.add(window(2))
    outbox.close()
    assert sorted(numbers(Outbox(state / "o.sqlite"))) == [0, 1, 2]


def test_where_there_is_no_place_at_all_windows_wait_in_memory(tmp_path: Path) -> None:
    state = tmp_path / "state"
    outbox = Outbox(state / "o.sqlite")
    outbox.add(window(0))
    shutil.rmtree(state)
    state.write_text("a file where the folder was")
    outbox.add(window(1))
    assert outbox.trouble  # which health and status say
    assert numbers(outbox) == [0, 1]
    state.unlink()
    outbox.add(window(2))
    assert outbox.trouble == ""
    outbox.close()
    assert numbers(Outbox(state / "o.sqlite")) == [0, 1, 2]


KILL_SCRIPT = """
import os, signal, sys
from pathlib import Path
from edge.outbox.store import Outbox
from tests.edge.outbox.test_other_rooms import window, BOOT
outbox = Outbox(Path(sys.argv[1]))
for seq in range(50):
    outbox.add(window(seq))
for seq in range(10):
    outbox.remove(BOOT, seq)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("left", [0.0, 0.3, 0.7])
def test_a_log_that_was_cut_short_is_filled_from_the_second_copy(
    left: float, tmp_path: Path
) -> None:
    path = tmp_path / "o.sqlite"
    subprocess.run([sys.executable, "-c", KILL_SCRIPT, str(path)], cwd=ROOT, check=False)
    log_file = tmp_path / "o.sqlite-wal"
    with log_file.open("r+b") as file:
        file.truncate(int(log_file.stat().st_size * left))
    outbox = Outbox(path)
    # Acknowledged ones may come again, where the log was cut before it had their removal.
    assert set(numbers(outbox)) >= set(range(10, 50))
    assert outbox.newest() == window(49)


def test_a_file_that_is_missing_is_made_from_the_second_copy(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    for seq in range(30):
        outbox.add(window(seq))
        if seq % 3 == 0:
            outbox.remove(BOOT, seq)
    outbox.close()
    for file in tmp_path.glob("o.sqlite*"):
        file.unlink()
    assert numbers(Outbox(tmp_path / "o.sqlite")) == [n for n in range(30) if n % 3]


def test_a_whole_outbox_is_not_sent_again_at_each_start(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    outbox = Outbox(path, max_bytes=100_000)
    for seq in range(800):  # full: some are merged
        outbox.add(window(seq))
        if seq < 100:
            outbox.remove(BOOT, seq)
    assert outbox.merge_count
    before = outbox.pending(9999)
    outbox.close()
    assert Outbox(path, max_bytes=100_000).pending(9999) == before


def test_windows_that_were_acknowledged_are_sent_again_when_they_are_asked_for(
    tmp_path: Path,
) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    for seq in range(40):
        outbox.add(window(seq))
    for seq in range(35):
        outbox.remove(BOOT, seq)
    assert outbox.resend(window(20).start) == 15
    assert numbers(outbox) == list(range(20, 40))
    assert outbox.resend(window(20).start) == 0
    assert outbox.newest() == window(39)
    outbox.remove(BOOT, 25)
    outbox.close()
    again = Outbox(tmp_path / "o.sqlite")
    assert numbers(again) == [n for n in range(20, 40) if n != 25]


def test_a_second_copy_keeps_at_least_a_day(tmp_path: Path) -> None:
    copy = SecondCopy(tmp_path / "o.sqlite")
    day = 24 * 240
    for seq in range(3 * day):
        copy.append(window(seq))
        copy.acknowledge(BOOT, seq, 1)
    moods = copy.acknowledgements(mood().start)
    assert len(moods) > 1.4 * day
    assert moods[-1] == window(3 * day - 1)
    assert copy.pending() == {}


def test_an_outbox_from_before_rooms_were_written_down_is_our_own(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite")
    outbox.add(window(0))
    outbox.add(mood(seq=1, room="r7"))
    with sqlite3.connect(tmp_path / "o.sqlite") as db:
        db.execute("UPDATE window SET room = NULL WHERE seq = 0")
    db.close()
    assert [one.seq for one in outbox.pending(9, "school/r101")] == [0]
    assert [one.seq for one in outbox.pending(9, "school/r101", other=True)] == [1]
    assert outbox.rooms() == {"school/r7"}
