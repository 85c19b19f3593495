"""What was erased does not come back from a backup that is kept, whatever else was lost."""

from __future__ import annotations

import json
import shutil

import pytest

from collector.retention.backup_folder import LIST
from collector.storage.erasure_notes import FILE, Erasure
from tests.collector.backups.place import Place


def erase(place: Place) -> str:
    result = place.call("erase", "--room", "school/r101")
    assert result.exception is None
    return result.stderr


def test_where_the_machine_is_lost_with_its_state(place: Place) -> None:
    place.fill(7, room="r102")
    place.backup()
    erase(place)
    shutil.rmtree(place.state)
    assert place.restore(place.files()[0]) == 7
    (place.backups / FILE).unlink()  # what it is without
    assert place.restore(place.files()[0]) == 57


def test_erased_by_the_running_collector_the_list_follows(school: Place) -> None:
    """As roommood-erasures.path asks for it."""
    school.backup()
    erase(school)
    (school.backups / FILE).unlink()
    school.backup("--erasures-only")
    assert school.others() == {LIST, FILE}
    assert len(school.files()) == 1
    assert (school.backups / FILE).read_bytes() == (school.state / FILE).read_bytes()
    assert (school.backups / FILE).stat().st_mode & 0o777 == 0o600
    assert school.restore(school.files()[0]) == 0


def test_the_next_backup_brings_what_could_not_be_brought(
    school: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    school.backup()
    away = school.backups.rename(school.folder / "away")
    assert "the next backup brings the list of erasures there" in erase(school)
    away.rename(school.backups)
    assert FILE not in school.others()
    school.backup()
    assert FILE in school.others()
    assert [school.restore(file) for file in school.files()] == [0, 0]


def test_one_run_rids_the_folder_of_what_was_erased(school: Place) -> None:
    for _ in range(3):
        school.backup()
    assert "--keep 1" in erase(school)
    school.backup("--keep", "1")
    (school.backups / FILE).unlink()
    (only,) = school.files()
    assert school.restore(only) == 0


def test_a_damaged_list_takes_no_whole_ones_place_beside_the_backups(school: Place) -> None:
    state = school.state / FILE
    school.call("erase", "--room", "school/r101")
    school.backup()
    copy = (school.backups / FILE).read_text()
    extra = json.dumps(Erasure("school", "r103", 0.0, 1.8e9)._asdict())
    state.write_text(copy.replace('"end"', '"eod"') + extra + "\n")
    school.backup()
    assert (school.backups / FILE).read_text() == copy + extra + "\n"
