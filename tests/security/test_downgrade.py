"""No damage and no power cut brings an older update in, or leaves half of one in use."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.device.slots import COPY, FILE, FOLDER, STARTS, Updates
from edge.protocol.device_api import update_failure
from tests.edge.protocol.test_bundle import FILES, stage
from tests.security.power_cut import until

pytestmark = pytest.mark.once


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no byte": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "no text": lambda path: path.write_bytes(b"\xff\xfe{}"),
    "another shape": lambda path: path.write_text('{"newest": "many"}'),
    "a list": lambda path: path.write_text("[]"),
    "gone": lambda path: path.unlink(),
    "a folder": into_folder,
}


def device(state: Path) -> Updates:
    """With the updates 1, 4 and 7 taken, and the last in use."""
    for number in (1, 4, 7):
        updates = stage(state, number)
        assert updates.begin() == number
        updates.keep()
    return updates


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [FILE, COPY])
def test_one_damaged_file_forgets_nothing(tmp_path: Path, damage: str, name: str) -> None:
    updates = device(tmp_path)
    DAMAGE[damage](tmp_path / FOLDER / name)
    for number in range(1, 8):
        assert "a downgrade" in str(updates.refusal(number))
    assert updates.refusal(8) is None
    assert updates.begin() == 7
    if damage != "a folder":
        updates = stage(tmp_path, 8)  # which writes both anew
        DAMAGE["half"](tmp_path / FOLDER / (COPY if name == FILE else FILE))
        assert "a downgrade" in str(updates.refusal(7))
        assert updates.begin() == 8


@pytest.mark.parametrize("damage", [name for name in DAMAGE if name not in ("gone", "a folder")])
def test_where_both_are_damaged_none_is_taken_and_it_is_said_why(
    tmp_path: Path, damage: str
) -> None:
    updates = device(tmp_path)
    for name in (FILE, COPY):
        DAMAGE[damage](tmp_path / FOLDER / name)
    for number in (1, 7, 8):
        refusal = str(updates.refusal(number))
        assert "on the device" in refusal
        assert update_failure(refusal) == "forgotten"
    # Nor once something was written down again.
    updates.refuse(5, "no reason at all")
    assert updates.begin() is None
    updates.works()
    assert update_failure(str(updates.refusal(8))) == "forgotten"


def test_where_both_are_gone_what_lies_there_counts(tmp_path: Path) -> None:
    updates = device(tmp_path)
    for name in (FILE, COPY):
        (tmp_path / FOLDER / name).unlink()
    assert "a downgrade" in str(updates.refusal(7))
    assert updates.refusal(8) is None


STEPS: dict[str, Callable[[Path], object]] = {
    "taken": lambda state: stage(state, 8),
    "begun": lambda state: Updates(state).begin(),
    "kept": lambda state: Updates(state).keep(),
    "rolled back": lambda state: Updates(state).roll_back("it stood still"),
    "refused": lambda state: Updates(state).refuse(9, "its model cannot be run"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_at_any_moment_leaves_a_whole_update(tmp_path: Path, step: str) -> None:
    for count in itertools.count():
        state = tmp_path / str(count)
        device(state)
        if step in ("kept", "rolled back", "begun"):
            stage(state, 8)
        if step in ("kept", "rolled back"):
            Updates(state).begin()
        is_done = until(count, lambda state=state: STEPS[step](state))  # type: ignore[misc]
        updates = Updates(state)
        assert "a downgrade" in str(updates.refusal(7))
        for _ in range(STARTS + 2):
            number = updates.begin()
            assert number in (7, 8)
            parts = updates.place(number).iterdir()
            assert {path.name: path.read_bytes() for path in parts} == FILES
        if updates.refusal(8) is None:  # it had not come so far
            assert stage(state, 8).begin() == 8
        if is_done:
            assert count > 3
            return
