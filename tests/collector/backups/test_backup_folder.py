"""Backups by number: the newest good ones stay, each read through, whatever the clock says."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
import time_machine

from collector.retention.backup_folder import LIST
from edge.common.errors import UserError
from tests.collector.backups.place import Place
from tests.free import wait


def tear(path: Path) -> None:
    """Some bytes in its midst become others, as on a disk that forgets."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"torn")


def test_the_newest_stay_and_each_can_be_restored(place: Place) -> None:
    for number in range(5):
        place.fill(1, 50 + number)
        place.backup()
    assert place.numbers() == [3, 4, 5]
    assert [place.restore(file) for file in place.files()] == [53, 54, 55]
    assert place.others() == {LIST}
    assert {path.stat().st_mode & 0o777 for path in place.backups.iterdir()} == {0o600}
    (newest, *_) = listing = place.listing()
    assert [one["number"] for one in listing] == [5, 4, 3]
    assert newest["rows"] >= 55
    assert newest["bytes"] == place.files()[-1].stat().st_size
    assert place.status("backups") == 0


def test_order_is_by_number_and_not_by_the_clock(school: Place) -> None:
    dates = ("2028-06-01", "1970-01-02", "2028-06-01", "2026-11-27", "2026-11-27")
    for date in dates:
        with time_machine.travel(f"{date}T02:00:00Z", tick=False):
            school.backup()
    assert school.numbers() == [3, 4, 5]
    assert [file.name[16:24] for file in school.files()] == ["20280601", "20261127", "20261127"]


def test_a_number_is_never_used_again(school: Place) -> None:
    for _ in range(3):
        school.backup()
    for file in school.backups.iterdir():
        file.unlink()
    school.backup()
    assert school.numbers() == [4]


def test_a_damaged_one_is_said_and_counts_for_none(
    school: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        school.backup()
    tear(school.files()[1])
    school.backup()
    assert "not what was written" in caplog.text
    assert school.numbers() == [1, 2, 3, 4]
    assert school.status("backups") == 1
    assert "is not what was written" in school.call("backups").stderr
    school.backup()  # three good ones are newer
    assert school.numbers() == [3, 4, 5]
    assert school.status("backups") == 0


def test_each_is_read_again_when_asked(school: Place) -> None:
    for _ in range(3):
        school.backup()
    first = school.files()[0]
    first.write_bytes(first.read_bytes()[:-1])
    assert [one["problem"] for one in school.listing()] == [None] * 3
    assert [bool(one["problem"]) for one in school.listing("--verify")] == [False, False, True]
    assert school.status("check") == 1  # and whoever checks the collector sees it
    assert "not what was written" in school.call("check").stdout


def test_what_is_not_read_back_as_written_takes_no_name(
    school: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        school.backup()
    former = {path: path.read_bytes() for path in school.files()}
    whole = os.fsync

    def tear_first(handle: int) -> None:
        whole(handle)
        if os.readlink(f"/proc/self/fd/{handle}").endswith(".part") and os.fstat(handle).st_size:
            os.pwrite(handle, b"torn", os.fstat(handle).st_size // 2)

    monkeypatch.setattr(os, "fsync", tear_first)
    with pytest.raises(UserError, match="the new backup is not what was written"):
        school.backup()
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in school.files()} == former
    assert school.others() == {LIST}
    assert "failed" in school.call("check").stdout
    school.backup()
    assert "backups: ok" in school.call("check").stdout


def test_a_lost_list_is_made_again_from_what_is_there(school: Place) -> None:
    for _ in range(3):
        school.backup()
    tear(school.files()[0])
    (school.backups / LIST).write_text("{")
    school.backup()
    assert school.numbers() == [1, 2, 3, 4]  # three good ones, and one torn that is not older
    school.backup()
    assert school.numbers() == [3, 4, 5]
    assert [one["problem"] for one in school.listing()] == [None] * 3


def test_files_of_others_stay(school: Place, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    other = Place(tmp_path / "o", f"sqlite:///{tmp_path}/o/c.sqlite", school.backups)
    school.backup()
    with pytest.raises(UserError, match="another collector's backups are there"):
        other.backup()
    (school.backups / LIST).rename(tmp_path / "away")
    other.change(keep=1)
    for _ in range(2):
        other.backup()
    (school.backups / "by-hand.tar.gz").write_bytes(b"")
    assert school.files()[0].name.startswith("roommood-000001-")
    assert school.others() == {LIST, "by-hand.tar.gz"}


def test_a_machine_that_was_installed_anew_goes_on_after_the_restore(
    school: Place, tmp_path: Path
) -> None:
    for _ in range(2):
        school.backup()
    (tmp_path / "new").mkdir()
    url = f"sqlite:///{tmp_path}/new/c.sqlite"
    new = Place(tmp_path / "new", url, tmp_path / "new" / "backups", keep=2)
    new.backup()  # as the installer asks for one
    (first,) = new.files()
    for file in (tmp_path / "new").glob("c.sqlite*"):
        file.unlink()
    shutil.rmtree(new.state)
    result = new.call("restore", "--from", str(school.files()[1]))
    assert result.exception is None
    for _ in range(3):
        new.backup()
    assert new.numbers() == [1, 3, 4]
    assert new.files()[0] == first  # of the collector that was there for moments
    assert new.restore(new.files()[-1]) == 20
    assert new.status("backups") == 0


def test_without_the_key_nothing_is_listed_and_none_is_made(school: Place) -> None:
    school.backup()
    (school.state / "secret.key").unlink()
    assert school.status("backups") == 2
    assert not (school.state / "secret.key").exists()


def test_two_at_once(place: Place) -> None:
    place.fill(3000, 50)
    runs = [place.process() for _ in range(3)]
    ends = [(run.communicate(timeout=120), run.returncode) for run in runs]
    codes = [code for _, code in ends]
    assert sorted(set(codes)) == [0, 2] or codes == [0, 0, 0]
    for (_, errors), code in ends:
        assert code == 0 or "another backup is being made" in errors
    assert len(place.numbers()) == codes.count(0)
    assert place.status("backups") == 0  # to be refused is no failure


def test_while_one_is_at_work_another_is_refused(school: Place) -> None:
    school.fill(20_000, 20)
    first = school.process()
    wait(lambda: any(name.endswith(".part") for name in os.listdir(school.backups)))
    with pytest.raises(UserError, match="another backup is being made"):
        school.backup()
    assert first.wait(120) == 0
    first.communicate()


def test_the_folder_is_the_collector_s_alone(school: Place, tmp_path: Path) -> None:
    school.backups.chmod(0o755)
    school.backup()
    assert school.backups.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        school.backups.chmod(0o750)
        os.chown(school.backups, 65534, 65534)
        with pytest.raises(UserError, match="others may look into it"):
            school.backup()
        os.chown(school.backups, 0, 0)
    school.backups.rename(tmp_path / "away")
    with pytest.raises(UserError, match=r"is not there.*mount its disk"):
        school.backup()
    assert not school.backups.exists()
    assert school.status("check") == 2


def test_one_run_may_keep_fewer(school: Place) -> None:
    for _ in range(3):
        school.backup()
    school.backup("--keep", "1")
    assert school.numbers() == [4]


def test_without_a_folder_it_says_what_to_do(school: Place) -> None:
    school.config.write_text(f"database: {school.url}\nstate: {school.state}\n")
    error = school.call("backup").exception
    assert isinstance(error, UserError)
    assert "backup: {folder: …}" in str(error)
    assert "backups" not in school.call("check").stdout
    for option in (["--keep", "2"], ["--erasures-only"]):
        error = school.call("backup", "--out", "x.tar.gz", *option).exception
        assert isinstance(error, UserError)


def test_the_list_is_for_scripts_too(school: Place) -> None:
    begin = time.time()
    school.backup()
    (fields,) = [json.loads(line) for line in school.call("backups", "--json").stdout.splitlines()]
    assert set(fields) == {"number", "file", "made", "bytes", "rows", "sha256", "read", "problem"}
    assert (school.backups / fields["file"]).stat().st_mtime >= begin - 1
