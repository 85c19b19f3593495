"""Whoever watches the collector is told of backups that fail, are late, damaged or missing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from collector.alerts.store import AlertStore
from collector.config import CollectorSettings
from collector.run.backup_watch import backup_state
from collector.storage import backup_note
from collector.storage.backup_note import BackupNote
from tests.collector.backups.place import Place
from tests.collector.school import School
from tests.free import wait

HOUR = 3600.0


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ({"at": -HOUR}, ""),
        ({"at": -51 * HOUR}, "51 hours old"),
        ({"at": HOUR / 2}, ""),
        ({"at": 9000 * HOUR}, "by a clock that was wrong"),
        ({}, "there is no backup yet"),
        ({"at": -HOUR, "failure": "no room", "failure_at": -60.0}, "failed (no room)"),
        ({"at": -HOUR, "damage": ("a.tar.gz",)}, "a.tar.gz is not what was written"),
        ({"at": -HOUR, "failure": "x", "failure_at": 1e30}, "an unknown time"),
    ],
)
def test_what_it_has_to_know(note: dict[str, Any], words: str) -> None:
    now = 1.79e9
    times = {name: now + note[name] for name in ("at", "failure_at") if name in note}
    problem = BackupNote(**note | times).problem(now, 50 * HOUR)
    assert words in problem
    assert bool(words) == bool(problem)


def test_a_note_that_is_damaged_is_none(tmp_path: Path) -> None:
    backup_note.write(tmp_path, BackupNote(3, "x", 2.0, 7, 1))
    path = tmp_path / backup_note.FILE
    whole = path.read_text()
    assert backup_note.read(tmp_path).number == 3
    for text in ("", "{", "[]", "null", whole.replace("2.0", '"then"')):
        path.write_text(text)
        assert backup_note.read(tmp_path) == BackupNote()


def test_who_makes_none_is_told_nothing(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"state": tmp_path}
    assert backup_state(CollectorSettings.model_validate(settings)) is None
    folder: dict[str, Any] = {"folder": tmp_path / "none"}
    assert backup_state(CollectorSettings.model_validate(settings | {"backup": folder}))
    folder |= {"watch": False}
    assert backup_state(CollectorSettings.model_validate(settings | {"backup": folder})) is None


def test_an_installed_machine_has_a_folder_of_its_own() -> None:
    settings = CollectorSettings(state=Path("/var/lib/roommood-collector"))
    assert settings.backup.place(settings.state) == Path("/var/backups/roommood")
    assert settings.backup.place(Path("collector-state")) is None


def test_a_running_collector_tells_it(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    changes: dict[str, Any] = {"backup": {"folder": folder}, "alerts": {"after_minutes": 0}}
    with School(tmp_path, **changes) as collector, collector.as_script() as client:
        place = Place(tmp_path, collector.settings.database, folder)

        def figures() -> dict[str, float]:
            lines = client.get("/metrics").text.splitlines()
            ours = [line.split() for line in lines if line.startswith("roommood_collector_backup")]
            return {name.removeprefix("roommood_collector_"): float(n) for name, n in ours}

        assert figures() == {"backups": 0, "backup_failing": 1}
        place.backup()
        first = figures()
        assert first.pop("backup_size_bytes") == place.files()[0].stat().st_size
        assert 0 <= first.pop("backup_age_seconds") < 60
        assert first == {"backups": 1, "backup_failing": 0}
        folder.rename(tmp_path / "away")
        assert place.status("backup") == 2
        assert figures()["backup_failing"] == 1
        assert set(client.get("/healthz").json()["workers"]) <= {"link"}  # it serves all the same
        (tmp_path / "away").rename(folder)
        place.backup()
        assert figures()["backup_failing"] == 0


def test_an_alert_says_it_and_when_it_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    changes: dict[str, Any] = {"backup": {"folder": folder}, "alerts": {"after_minutes": 0}}
    with School(tmp_path, **changes) as collector:
        place = Place(tmp_path, collector.settings.database, folder)
        place.backup()
        note = backup_note.read(place.state)
        backup_note.write(place.state, note._replace(at=time.time() - 60 * HOUR))

        def causes() -> list[str]:
            return [one.key.cause for one in AlertStore(collector.engine).entries().values()]

        wait(lambda: "collector_backup" in causes())
        place.backup()
        wait(lambda: "collector_backup" not in causes())


def test_the_page_on_retention_says_how_long_backups_have_it(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"backup": {"folder": tmp_path / "backups", "keep": 9}}
    with School(tmp_path, **changes) as collector, collector.as_script() as client:
        assert "until 9 newer ones have been made" in client.get("/retention").text
    with School(tmp_path) as collector, collector.as_script() as client:
        assert "newer ones have been made" not in client.get("/retention").text
