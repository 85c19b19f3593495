"""Small files are replaced whole, and nothing else is left behind."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from edge.common import atomic_file
from tests.free import full_disk


def test_a_secret_is_the_owners_alone_whatever_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.pem"
    atomic_file.write(path, "open to all")
    assert path.stat().st_mode & 0o044
    atomic_file.write(path, b"secret", atomic_file.OWNER_ALONE)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"secret", 0o600)


def test_a_full_disk_leaves_the_old_content_and_no_remains(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    atomic_file.write(path, "old")
    with full_disk(100), pytest.raises(OSError, match="File too large"):
        atomic_file.write(path, "n" * 10_000)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_whoever_writes_at_once_one_content_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    contents = [letter * 5000 for letter in "abcdefgh"]

    def write_often(content: str) -> None:
        for _ in range(20):
            atomic_file.write(path, content)
            assert path.read_text() in contents

    errors: list[BaseException] = []

    def guard(content: str) -> None:
        try:
            write_often(content)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guard, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert path.read_text() in contents
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_what_a_killed_one_left_goes_with_the_next_and_what_another_writes_stays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.json"
    remains, other = tmp_path / ".state.json.1.part", tmp_path / ".state.json.2.part"
    remains.write_text("a part")
    with other.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        atomic_file.write(path, "whole")
        assert set(tmp_path.iterdir()) == {path, other}
    atomic_file.write(path, "whole")
    assert list(tmp_path.iterdir()) == [path]
