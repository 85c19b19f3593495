"""A collector's database and state folder, started and stopped as a collector does."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, insert

from collector.config import CollectorSettings
from collector.retention.backup import backup
from collector.retention.restore import restore
from collector.run.own_database import OwnDatabase
from collector.storage.database import connect
from collector.storage.resend_mark import read as read_mark
from collector.storage.store import Store
from collector.storage.tables import audit, metadata
from tests.conftest import mood
from tests.postgres import Postgres


class Place:
    """A collector's settings, and starts of its database as a collector does them."""

    def __init__(self, folder: Path, url: str, server: Postgres | None = None) -> None:
        self.folder, self.url = folder, url
        self.state = folder / "state"
        self.server = server
        self.seq = self.count = 0
        self.url_before = ""

    @property
    def settings(self) -> CollectorSettings:
        return CollectorSettings.model_validate({"database": self.url, "state": self.state})

    def runs(self, windows: int = 3) -> None:
        """One start, some windows, and an end in good order."""
        database = OwnDatabase(self.settings)
        store = Store(database.engine)
        for _ in range(windows):
            self.seq += 1
            store.add([mood(seq=self.seq)])
            database.note_worker.run_once()
        database.end()

    def wants(self) -> bool:
        """Whether devices are to send again what they have."""
        engine = connect(self.url)
        with engine.connect() as connection:
            mark = read_mark(connection)
        engine.dispose()
        return mark is not None

    def copy(self) -> dict[str, list[dict[str, object]]]:
        engine = connect(self.url)
        with engine.connect() as connection:
            rows = {
                table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
                for table in metadata.sorted_tables
            }
        engine.dispose()
        return rows

    def put_back(self, copy: dict[str, list[dict[str, object]]]) -> None:
        """By other means than `restore`; the audit log, from which nothing is deleted, stays."""
        tables = [table for table in metadata.sorted_tables if table is not audit]
        engine = connect(self.url)
        with engine.begin() as connection:
            for table in reversed(tables):
                connection.execute(delete(table))
            for table in tables:
                if copy[table.name]:
                    connection.execute(insert(table), copy[table.name])
        engine.dispose()

    def back_up(self, name: str = "b.tar.gz") -> Path:
        engine = connect(self.url)
        backup(engine, self.state, self.folder / name)
        engine.dispose()
        return self.folder / name

    def restores(self, source: Path) -> None:
        """Into a new database, which is used from then on."""
        self.url_before, self.url = self.url, self.new_url()
        engine = connect(self.url)
        restore(engine, self.state, source)
        engine.dispose()

    def new_url(self) -> str:
        self.count += 1
        if self.server is not None:
            return self.server.fresh()
        return f"sqlite:///{self.folder}/n{self.count}.sqlite"
