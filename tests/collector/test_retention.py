from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, func, select, text

from collector.access.accounts import Accounts
from collector.access.audit import AuditLog
from collector.access.secret import own_key
from collector.access.sessions import Sessions
from collector.config import Retention
from collector.lessons.repository import LessonRepository
from collector.retention import backup as backup_module
from collector.retention.backup import backup
from collector.retention.erasing import erase_room
from collector.retention.restore import restore
from collector.retention.worker import DAY_S, RetentionWorker
from collector.storage.database import connect
from collector.storage.erasures import Erasures
from collector.storage.store import Store
from collector.storage.tables import metadata, moods
from edge.common.errors import UserError
from tests.conftest import mood
from tests.free import wait
from tests.postgres import Postgres

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
Fresh = Callable[[], Engine]


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Fresh:
    """Makes empty databases."""
    engines: list[Engine] = []

    def one() -> Engine:
        sqlite = f"sqlite:///{tmp_path}/c{len(engines)}.sqlite"
        engine = connect(sqlite if request.param == "sqlite" else postgres.with_tables())
        engines.append(engine)
        request.addfinalizer(engine.dispose)  # as many as the test asks for
        return engine

    return one


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(moods)).scalar_one())


def fill(engine: Engine, room: str, days: list[int], site: str = "school") -> None:
    """One window on each of the days before NOW."""
    Store(engine).add(
        [
            mood(
                site=site, room=room, device=f"{site}-{room}", seq=n, start=NOW - timedelta(days=n)
            )
            for n in days
        ]
    )


def test_windows_are_kept_for_as_long_as_the_site_says(fresh: Fresh) -> None:
    engine = fresh()
    fill(engine, "r101", [1, 29, 31, 400])
    fill(engine, "r1", [1, 6, 8], site="kindergarten")
    short = Retention(windows_days=7, lessons_days=30)
    retention = RetentionWorker(
        engine, lambda site: short if site == "kindergarten" else Retention()
    )
    repository = LessonRepository(engine)
    for site, age in (("school", 300), ("school", 370), ("kindergarten", 40)):
        at = NOW.timestamp() - age * DAY_S
        lesson = repository.begin(site, "r1", "x", "button", start=at)
        assert lesson is not None
        repository.end(lesson, at + 2700)
        repository.mark(lesson, "a marker")
    assert retention.round(NOW.timestamp()) == 3
    assert count(engine) == 4
    assert [(one.site, one.start) for one in repository.of()] == [
        ("school", NOW.timestamp() - 300 * DAY_S)
    ]


def test_what_is_deleted_is_no_longer_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    engine = connect(f"sqlite:///{path}")
    mark = "f00dfeedbeef"
    Store(engine).add([mood(seq=n, model=mark) for n in range(200)])
    files = [path, path.with_name("c.sqlite-wal")]

    def is_locked() -> bool:
        return any(mark.encode() in file.read_bytes() for file in files if file.exists())

    assert is_locked()
    assert erase_room(Erasures(engine), "school", "r101") == 200
    assert not is_locked()
    engine.dispose()


def test_erasing_a_room_leaves_the_others(fresh: Fresh) -> None:
    engine = fresh()
    fill(engine, "r101", [1, 2])
    fill(engine, "r102", [1, 2, 3])
    LessonRepository(engine).begin("school", "r101", "x", "button")
    assert erase_room(Erasures(engine), "school", "r101") == 2
    assert count(engine) == 3
    assert LessonRepository(engine).of() == []


def test_a_backup_brings_everything_back(fresh: Fresh, tmp_path: Path) -> None:
    engine, state = fresh(), tmp_path / "state"
    key = own_key(state)
    audit = AuditLog(engine, state, key)
    accounts = Accounts(engine)
    tess = accounts.add("tess", "teacher", [("school", "r101")], "correct horse battery")
    token = Sessions(engine, accounts).make_token(tess.id, "script", ["read"], 3600)
    fill(engine, "r101", list(range(50)))
    lesson = LessonRepository(engine).begin("school", "r101", "Optics", "button", teacher="tess")
    assert lesson is not None
    LessonRepository(engine).mark(lesson, "experiment starts")
    audit.add("ann", "backup made")
    out = tmp_path / "school.tar.gz"
    rows = backup(engine, state, out)
    assert (rows["mood"], rows["account"], rows["lesson"], rows["audit"]) == (50, 1, 1, 1)
    assert out.stat().st_mode & 0o077 == 0

    other, elsewhere = fresh(), tmp_path / "elsewhere"
    assert restore(other, elsewhere, out) == rows
    assert own_key(elsewhere) == key
    assert list(AuditLog(other, elsewhere, key).wrong()) == []
    back = Accounts(other)
    assert back.verify("tess", "correct horse battery") == tess
    assert Sessions(other, back).of_token(token) is not None
    assert [m.text for m in LessonRepository(other).markers(LessonRepository(other).of()[0])] == [
        "experiment starts"
    ]
    far = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2030, 1, 1, tzinfo=timezone.utc)
    assert Store(other).between("school", "r101", *far) == Store(engine).between(
        "school", "r101", *far
    )
    # And one goes on from there.
    assert Store(other).add([mood(seq=1000)]) == [mood(seq=1000)]
    back.add("otto", "teacher")
    AuditLog(other, elsewhere, key).add("ann", "sign-in")
    assert list(AuditLog(other, elsewhere, key).wrong()) == []
    with pytest.raises(UserError, match="not empty"):
        restore(other, elsewhere, out)


def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A marker whose lesson is not in the backup could not be restored."""
    engine, state = fresh(), tmp_path / "state"
    own_key(state)
    lessons, write, events = LessonRepository(engine), backup_module._write_table, list[str]()

    def written_meanwhile(archive: Any, connection: Any, table: Any) -> int:
        rows = write(archive, connection, table)
        events.append(table.name)
        lesson = lessons.begin("school", f"r{len(events)}", "Optics", "button")
        assert lesson is not None
        lessons.mark(lesson, "experiment starts")
        return rows

    monkeypatch.setattr(backup_module, "_write_table", written_meanwhile)
    out = tmp_path / "school.tar.gz"
    rows = backup(engine, state, out)
    assert rows["lesson"] == rows["marker"] <= 1  # what came before the first read, if anything
    assert "marker" in events
    assert restore(fresh(), tmp_path / "elsewhere", out) == rows


def test_what_is_no_backup_changes_nothing(fresh: Fresh, tmp_path: Path) -> None:
    engine = fresh()
    wrong = tmp_path / "x.tar.gz"
    wrong.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match="not a collector's backup"):
        restore(engine, tmp_path / "state", wrong)
    with pytest.raises(UserError, match="not a collector's backup"):
        restore(engine, tmp_path / "state", tmp_path / "none.tar.gz")
    assert not (tmp_path / "state").exists()
    with pytest.raises(UserError, match="choose another place"):
        backup(engine, tmp_path, tmp_path / "nowhere" / "x.tar.gz")


OLD = """CREATE TABLE mood (id INTEGER PRIMARY KEY {auto}, site VARCHAR(32) NOT NULL,
room VARCHAR(32) NOT NULL, device VARCHAR(32) NOT NULL, boot VARCHAR(36) NOT NULL,
seq INTEGER NOT NULL, start FLOAT NOT NULL, seconds FLOAT NOT NULL, clock VARCHAR(8) NOT NULL,
frames INTEGER NOT NULL, faces INTEGER, counts JSON, withheld VARCHAR(16),
model VARCHAR(12) NOT NULL, received FLOAT NOT NULL, UNIQUE (device, boot, seq))"""


def test_a_populated_database_of_the_first_version_is_brought_up_to_date(
    tmp_path: Path, postgres: Postgres
) -> None:
    """As before merged windows and large numbers, and before there were migrations."""
    for url in (f"sqlite:///{tmp_path}/old.sqlite", postgres.fresh()):
        old = create_engine(url)
        auto = "" if url.startswith("sqlite") else "GENERATED BY DEFAULT AS IDENTITY"
        with old.begin() as connection:
            connection.execute(text(OLD.format(auto=auto)))
            connection.execute(text("CREATE INDEX mood_by_time ON mood (site, room, start)"))
            for seq in range(300):
                values = mood(seq=seq).model_dump(exclude={"schema_", "windows", "counts"})
                values |= {"boot": str(values["boot"]), "start": mood().start.timestamp()}
                names = ", ".join(values)
                marks = ", ".join(f":{name}" for name in values)
                connection.execute(
                    text(
                        f"INSERT INTO mood ({names}, counts, received) VALUES ({marks}, :counts, 0)"
                    ),
                    values | {"counts": mood().model_dump_json(include={"counts"})[10:-1]},
                )
        old.dispose()
        engine = connect(url)
        store = Store(engine)
        far = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2030, 1, 1, tzinfo=timezone.utc)
        assert store.between("school", "r101", *far) == [mood(seq=n) for n in range(300)]
        assert store.add([mood(seq=2**40)]) == [mood(seq=2**40)]
        engine.dispose()
        connect(url).dispose()  # and a second time there is nothing to do


def test_the_migrations_make_the_tables_that_the_code_uses(fresh: Fresh) -> None:
    with fresh().connect() as connection:
        context = MigrationContext.configure(connection)
        different = compare_metadata(context, metadata)
        if connection.dialect.name == "sqlite":
            # A key that was added with its column is read back without what it does on delete.
            different = [one for one in different if not str(one[0]).endswith("_fk")]
            for table in metadata.sorted_tables:
                rows = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table.name})").all()
                columns = {(row[3], row[2], row[6]) for row in rows}
                assert columns == {
                    (key.parent.name, key.column.table.name, key.ondelete)
                    for key in table.foreign_keys
                }
        assert different == []


def test_a_database_of_a_newer_version_is_refused(fresh: Fresh) -> None:
    engine = fresh()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UserError, match="a newer roommood has used it"):
        connect(engine.url.render_as_string(hide_password=False))


def test_the_keeper_runs_by_itself(fresh: Fresh) -> None:
    engine = fresh()
    fill(engine, "r101", [4000])
    retention = RetentionWorker(engine, lambda _: Retention())
    retention.start()
    wait(lambda: count(engine) == 0)
    retention.stop()
