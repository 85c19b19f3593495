"""A backup that does not come about leaves the one before, and nothing else."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from collector.cli import collector
from collector.retention.whole_file import whole_file
from collector.storage.database import connect
from collector.storage.store import Store
from edge.common.errors import UserError
from tests.conftest import mood
from tests.free import full_disk

SERVICE = 65534


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of a collector with some windows."""
    (tmp_path / "state").mkdir(mode=0o700)
    engine = connect(f"sqlite:///{tmp_path}/state/c.sqlite")
    Store(engine).add([mood(seq=n) for n in range(500)])
    engine.dispose()
    path = tmp_path / "collector.yaml"
    settings = {"database": f"sqlite:///{tmp_path}/state/c.sqlite", "state": "state"}
    path.write_text(yaml.safe_dump(settings))
    return path


def run_backup(config: Path, out: Path) -> Result:
    return CliRunner().invoke(collector, ["backup", "--config", str(config), "--out", str(out)])


def no_room(config: Path, out: Path) -> Result:
    with full_disk(3000):
        return run_backup(config, out)


def no_database(config: Path, out: Path) -> Result:
    settings = yaml.safe_load(config.read_text())
    settings["database"] = f"sqlite:///{config.parent}/nowhere\0/c.sqlite"
    config.write_text(yaml.safe_dump(settings))
    return run_backup(config, out)


def no_settings(config: Path, out: Path) -> Result:
    config.write_text("databse: x\n")
    return run_backup(config, out)


def torn_database(config: Path, out: Path) -> Result:
    for path in (config.parent / "state").glob("c.sqlite*"):
        path.write_bytes(b"nothing of the kind" * 1000)
    return run_backup(config, out)


@pytest.mark.parametrize("fails", [no_room, no_database, no_settings, torn_database])
def test_the_backup_before_stays(
    config: Path, tmp_path: Path, fails: Callable[[Path, Path], Result]
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    out = folder / "school.tar.gz"
    assert run_backup(config, out).exit_code == 0
    former = out.read_bytes()
    assert fails(config, out).exception is not None
    assert out.read_bytes() == former
    assert list(folder.iterdir()) == [out]


def test_no_place_for_it_is_said(config: Path, tmp_path: Path) -> None:
    for out in (tmp_path / "none" / "x.tar.gz", tmp_path, Path("/proc/x.tar.gz")):
        assert isinstance(error := run_backup(config, out).exception, UserError), out
        assert "choose another place" in str(error)


def test_what_a_killed_one_left_is_removed_and_what_another_writes_is_not(tmp_path: Path) -> None:
    out = tmp_path / "a[1].tar.gz"
    remains = tmp_path / ".a[1].tar.gz.x.part"
    remains.write_bytes(b"a part")
    with whole_file(out) as one, whole_file(out) as other:
        assert not remains.exists()
        other.write(b"other")
        one.write(b"one")
    assert out.read_bytes() == b"one"  # it ended last
    assert list(tmp_path.iterdir()) == [out]


def test_a_link_stays_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    link, goal = tmp_path / "newest", tmp_path / "monday"
    link.symlink_to(goal)
    with whole_file(link) as file:
        file.write(b"backup")
    assert link.is_symlink()
    assert goal.read_bytes() == b"backup"
    with whole_file(Path("/dev/null")) as file:
        file.write(b"backup")
    assert Path("/dev/null").is_char_device()


def in_a_child(config: Path, out: Path) -> int:
    """Its exit status; a user given up for good is given up there alone."""
    child = os.fork()
    if not child:
        result = run_backup(config, out)
        os.write(2, f"{result.output} {result.exception}".encode())
        os._exit(result.exit_code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_as_root_the_state_stays_the_services(config: Path, tmp_path: Path) -> None:
    """Root writes where the service cannot, and the service's files stay the service's."""
    if os.geteuid() != 0:
        pytest.skip("not root: there is nobody to become")
    for path in tmp_path.parents[:-2]:
        path.chmod(0o755)
    tmp_path.chmod(0o755)
    state = tmp_path / "state"
    # What it imports late, the service's user may not be able to read here.
    assert run_backup(config, tmp_path / "first.tar.gz").exit_code == 0
    codecs.lookup("ascii")
    for path in (state, *state.iterdir()):
        os.chown(path, SERVICE, SERVICE)
    folder = tmp_path / "roots"
    folder.mkdir(mode=0o700)
    own = state / "own.tar.gz"
    own.touch()
    os.chown(own, SERVICE, SERVICE)
    for out in (folder / "school.tar.gz", own):
        for _ in range(2):
            assert in_a_child(config, out) == 0
        assert out.stat().st_mode & 0o777 == 0o600
    assert (folder / "school.tar.gz").stat().st_uid == 0
    assert {path.stat().st_uid for path in state.iterdir()} == {SERVICE}
