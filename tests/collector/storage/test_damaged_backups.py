"""A backup that is damaged, or not whole, is refused before anything is replaced."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.lessons.repository import LessonRepository
from collector.retention import archive as form
from collector.retention.archive import MANIFEST, REVISION
from collector.retention.backup import backup
from collector.retention.restore import restore
from collector.storage.database import NEWEST, connect
from collector.storage.store import Store
from collector.storage.tables import metadata
from edge.common.errors import UserError
from tests.conftest import mood

pytestmark = pytest.mark.once

Members = list[tuple[str, bytes]]
Damage = Callable[[Members, int], None]


def remove(members: Members, number: int) -> None:
    del members[number]


def truncate(members: Members, number: int) -> None:
    name, content = members[number]
    members[number] = name, content[: len(content) // 2]


def shorten(members: Members, number: int) -> None:
    """By whole lines."""
    name, content = members[number]
    members[number] = name, b"".join(content.splitlines(keepends=True)[:-1])


def edit(members: Members, number: int) -> None:
    name, content = members[number]
    members[number] = name, content[:-3] + bytes([(content or b"123")[-3] ^ 1]) + content[-2:]


def empty(members: Members, number: int) -> None:
    members[number] = members[number][0], b""


def double(members: Members, number: int) -> None:
    members.append(members[number])


def rename(members: Members, number: int) -> None:
    name, content = members[number]
    members[number] = f"x{name}", content


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Members:
    folder = tmp_path_factory.mktemp("good")
    engine, state, site = connect(f"sqlite:///{folder}/c.sqlite"), folder / "state", folder / "site"
    audit = AuditLog(engine, state, own_key(state))
    Store(engine).add([mood(seq=n) for n in range(50)])
    repository = LessonRepository(engine)
    lesson = repository.begin("school", "r101", "Optics", "button")
    assert lesson is not None
    repository.mark(lesson, "experiment starts")
    Accounts(engine).add("ann", "administrator")
    audit.add("ann", "began")
    (site / "broker").mkdir(parents=True)
    for name in ("authority.key", "broker/crl.pem"):
        (site / name).write_text(f"what {name} holds")
    (site / ".authority.key.123.part").write_text("of a write that was killed")
    backup(engine, state, folder / "b.tar.gz", site)
    engine.dispose()
    return unpack(folder / "b.tar.gz")


def unpack(file: Path) -> Members:
    with tarfile.open(file) as archive:
        return [(one.name, form.plain(archive, one).read()) for one in archive]


def pack(file: Path, members: Members) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file


class Target:
    """An empty machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state, self.site = folder / "state", folder / "site"
        self.engine = connect(f"sqlite:///{folder}/c.sqlite")

    def restore(self, file: Path) -> dict[str, int]:
        return restore(self.engine, self.state, file, self.site)

    def is_empty(self) -> bool:
        with self.engine.connect() as connection:
            rows = [connection.execute(table.select()).all() for table in metadata.sorted_tables]
        return not any(rows) and not self.state.exists() and not self.site.exists()


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


DAMAGES = (remove, truncate, shorten, edit, empty, double, rename)


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_member_may_differ(damage: Damage, good: Members, target: Target) -> None:
    count = 0
    for number, (name, _) in enumerate(good):
        members = list(good)
        damage(members, number)
        if members == good:
            continue
        count += 1
        with pytest.raises(UserError, match=r"not a collector's backup|another version"):
            target.restore(pack(target.folder / "b.tar.gz", members))
        assert target.is_empty(), name
    assert count > 5
    assert target.restore(pack(target.folder / "b.tar.gz", good))["mood"] == 50
    assert (target.site / "authority.key").read_text() == "what authority.key holds"


def test_nor_may_the_file_end_early_or_have_other_bytes(good: Members, target: Target) -> None:
    file = pack(target.folder / "b.tar.gz", good)
    whole = file.read_bytes()
    step = len(whole) // 40
    for end in (*range(0, len(whole), step), len(whole) - 1, len(whole) - 9):
        file.write_bytes(whole[:end])
        with pytest.raises(UserError, match="not a collector's backup"):
            target.restore(file)
        assert target.is_empty(), end
    for place in range(30, len(whole), step):  # before that stand a date and a name
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(UserError, match="not a collector's backup"):
            target.restore(file)
        assert target.is_empty(), place


@pytest.mark.parametrize("name", ["site/x", MANIFEST, REVISION, "secret.key"])
def test_a_made_up_file_takes_no_memory(
    name: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros, which make a small file however many they are."""
    monkeypatch.setattr(form, "SMALL", 1 << 20)
    zeros = bytes(5 << 20)
    file = pack(target.folder / "b.tar.gz", [(name, zeros)])
    del zeros
    tracemalloc.start()
    with pytest.raises(UserError, match="not a collector's backup"):
        target.restore(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    many = [(f"site/x{number}", bytes(1 << 20)) for number in range(6)]
    with pytest.raises(UserError, match="not a collector's backup"):
        target.restore(pack(target.folder / "b.tar.gz", many))
    assert target.is_empty()


def test_what_could_not_be_restored_is_not_backed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.retention.backup.SMALL", 1000)
    engine, state, site = connect(f"sqlite:///{tmp_path}/c.sqlite"), tmp_path / "s", tmp_path / "x"
    own_key(state)
    site.mkdir()
    for sizes in ([1001], [900, 900, 900]):
        for number, size in enumerate(sizes):
            (site / f"film{number}.mp4").write_bytes(bytes(size))
        with pytest.raises(UserError, match=r"move what does not belong there"):
            backup(engine, state, tmp_path / "b.tar.gz", site)
        assert not (tmp_path / "b.tar.gz").exists()
    engine.dispose()


def of_before(members: Members) -> Members:
    """As the version before wrote it: each table in one member, the revision alone, no manifest."""
    tables = [(n.replace("-000001", ""), content) for n, content in members if n.endswith("jsonl")]
    others = [one for one in members if not one[0].endswith("jsonl")]
    rest = [one for one in others if one[0] not in (MANIFEST, REVISION)]
    return [*tables, (REVISION, NEWEST.encode()), *rest]


def test_one_of_the_version_before_is_restored_and_what_is_not_known_said(
    good: Members, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    members = of_before(good)
    without = [one for one in members if one[0] != "account.jsonl"]
    torn_line = [(n, c[:-9] if n == "mood.jsonl" else c) for n, c in members]
    odd = [(n, b'{"id": 1}\n' if n == "mood.jsonl" else c) for n, c in members]
    for wrong in (without, torn_line, odd):
        with pytest.raises(UserError, match=r"not a collector's backup|nothing was restored"):
            target.restore(pack(target.folder / "b.tar.gz", wrong))
        files = [one for one in target.folder.rglob("*") if one.is_file()]
        assert {one.name.partition(".sqlite")[0] for one in files} == {"b.tar.gz", "c"}
    assert target.restore(pack(target.folder / "b.tar.gz", members))["mood"] == 50
    assert "whether it is whole is not known" in caplog.text
