"""No number of a lesson is given twice, however lessons went: an erasure by number that is done
again erases nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from collector.access.secret import own_key
from collector.cli import collector
from collector.config import CollectorSettings
from collector.lessons.repository import Lesson, LessonRepository
from collector.retention.backup import backup
from collector.retention.erasing import erase_lesson, erase_room
from collector.retention.restore import restore
from collector.retention.worker import RetentionWorker
from collector.storage.database import connect
from collector.storage.erasures import Erasures
from edge.common.errors import UserError

pytestmark = pytest.mark.once


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> str:
    if kind == "postgresql":
        return str(request.getfixturevalue("postgres").fresh())
    return f"sqlite:///{tmp_path}/c.sqlite"


def begin(engine: Engine, room: str, ago_s: float, title: str = "Optics") -> Lesson:
    repository = LessonRepository(engine)
    lesson = repository.begin("school", room, title, "button", start=time.time() - ago_s)
    assert lesson is not None
    repository.end(lesson, lesson.start + 60)
    return repository.lesson(lesson.id)


def call(folder: Path, url: str, *words: Any) -> Result:
    config = folder / "collector.yaml"
    config.write_text(yaml.safe_dump({"database": url, "state": str(folder / "state")}))
    command = [*map(str, words), "--config", str(config)]
    return CliRunner().invoke(collector, command, standalone_mode=False)


@pytest.mark.parametrize("way", ["lesson", "room", "page", "retention"])
def test_a_number_is_not_given_again(url: str, tmp_path: Path, way: str) -> None:
    engine = connect(url)
    erasures = Erasures(engine, tmp_path)
    old = begin(engine, "r101", 900 * 86_400 if way == "retention" else 3000)
    if way == "lesson":
        erase_lesson(erasures, old)
    elif way == "room":
        erase_room(erasures, "school", "r101")
    elif way == "page":
        LessonRepository(engine).erase(old)
    else:
        RetentionWorker(engine, CollectorSettings().retention_of).round(time.time())
    with pytest.raises(UserError, match="no such lesson"):
        LessonRepository(engine).lesson(old.id)
    assert begin(engine, "r102", 2000).id > old.id
    engine.dispose()


def test_the_same_command_twice_erases_one_lesson(url: str, tmp_path: Path) -> None:
    """It says which, by more than its number."""
    engine = connect(url)
    old = begin(engine, "r101", 3000)
    first = call(tmp_path, url, "erase", "--lesson", old.id)
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(old.start))
    assert f"lesson {old.id} in school/r101, 'Optics' of {day}: 0 windows deleted" in first.stdout
    other = begin(engine, "r102", 2000)
    second = call(tmp_path, url, "erase", "--lesson", old.id)
    assert isinstance(second.exception, UserError)
    assert second.exception.what == "no such lesson"
    assert LessonRepository(engine).lesson(other.id).title == "Optics"
    engine.dispose()


def test_nor_after_a_restore(url: str, tmp_path: Path) -> None:
    """Of a backup that was made after the erasure, with either database."""
    engine = connect(f"sqlite:///{tmp_path}/old.sqlite")
    begin(engine, "r101", 4000)
    old = begin(engine, "r101", 3000)
    erase_lesson(Erasures(engine, tmp_path / "old"), old)
    file = tmp_path / "b.tar.gz"
    own_key(tmp_path / "old")
    backup(engine, tmp_path / "old", file)
    engine.dispose()
    engine = connect(url)
    restore(engine, tmp_path / "new", file)
    assert begin(engine, "r102", 2000).id > old.id
    engine.dispose()
