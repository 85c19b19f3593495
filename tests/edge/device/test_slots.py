"""An update that was kept, and only later ends run after run."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.device.slots import LATER_STARTS, Updates, UpdateState
from edge.device.trial import UpdateTrial
from tests.edge.protocol.test_bundle import stage
from tests.full_disk import no_room


@pytest.fixture
def updates(tmp_path: Path) -> Updates:
    """With the numbers 1 and then 2 kept."""
    for number in (1, 2):
        slots = stage(tmp_path, number)
        assert slots.begin() == number
        slots.keep()
    return slots


def test_one_that_crashes_five_times_in_a_row_is_taken_back(updates: Updates) -> None:
    assert [updates.begin() for _ in range(LATER_STARTS + 1)] == [2] * LATER_STARTS + [1]
    slots = updates.update_state()
    assert (slots.current, slots.refused, slots.can_go_back) == (1, 2, False)
    assert slots.because == "the agent ended 5 times before a window's end"
    assert updates.refusal(2) == slots.because
    assert not updates.place(2).exists()
    assert [updates.begin() for _ in range(20)] == [1] * 20  # there is nothing to go back to


@pytest.mark.parametrize("end", ["window", "pause", "stop", "camera"])
def test_what_is_no_crash_begins_the_count_anew(updates: Updates, tmp_path: Path, end: str) -> None:
    for start in range(3 * LATER_STARTS):
        assert updates.begin() == 2
        trial = UpdateTrial(tmp_path, 2)
        if start % LATER_STARTS == LATER_STARTS - 1:
            if end in ("window", "pause"):
                assert trial.saw_window(0 if end == "pause" else 5, end == "pause") is None
            elif end == "stop":
                trial.end()
            else:
                trial.fail("the camera's driver did not return")
    assert updates.update_state().current == 2
    assert updates.place(1).exists()


def test_the_first_update_of_a_device_goes_back_to_what_was_installed(tmp_path: Path) -> None:
    assert Updates(tmp_path).begin() is None
    slots = stage(tmp_path, 7)
    slots.begin()
    slots.keep()
    assert [slots.begin() for _ in range(LATER_STARTS + 2)] == [7] * LATER_STARTS + [None, None]


def test_slots_of_an_earlier_version_are_read(updates: Updates, tmp_path: Path) -> None:
    (tmp_path / "updates" / "slots.json").write_text('{"current": 2, "newest": 2}')
    assert updates.update_state() == UpdateState(current=2, newest=2)
    assert [updates.begin() for _ in range(20)] == [2] * 20


def test_on_a_full_disk_an_agent_starts_with_what_it_has(
    updates: Updates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with no_room():
        assert [updates.begin() for _ in range(2 * LATER_STARTS)] == [2] * 2 * LATER_STARTS
        trial = UpdateTrial(tmp_path, 2)
        assert trial.saw_window(5, False) is None
        trial.fail("the camera's driver did not return")
    assert "make room on the disk" in caplog.text
    assert updates.update_state().current == 2


def test_on_a_full_disk_no_update_is_tried_and_none_is_lost(
    updates: Updates, tmp_path: Path
) -> None:
    stage(tmp_path, 3)
    with no_room():
        with pytest.raises(OSError, match="large"):
            stage(tmp_path, 4)  # said by the command that fetches, which tries again
        assert updates.begin() == 2
        trial = UpdateTrial(tmp_path, 2)
        assert [trial.saw_window(5, False) for _ in range(9)] == [None] * 9, "no start after start"
    assert trial.saw_window(5, False) == "update 3 is to be tried"
    assert updates.begin() == 3
    with no_room():
        trial = UpdateTrial(tmp_path, 3)
        trial.fail("it stood still")
        assert updates.begin() == 2, "what cannot be rolled back is not used"
