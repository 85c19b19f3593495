"""What a long history costs: start, pages, retention, backup while windows come, and restore."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.engine import URL, make_url

from collector.config import Retention
from collector.retention.worker import RetentionWorker
from collector.storage.database import connect
from collector.storage.tables import moods
from deploy.bench.history.fill import SITE, fill, room_name
from deploy.bench.load.devices import SITE as LIVE
from deploy.bench.load.devices import Devices
from deploy.bench.load.school import LoadSchool
from edge.common.child import python_command
from edge.common.errors import UserError

TIMES = 30
"""Each page is fetched so often, on one connection."""

PER_SECOND, DEVICES = 500, 200
"""Windows that come during a backup, and from how many rooms."""


def measure(
    rows: int, rooms: int, database: str | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """On an empty database, which is filled with so many windows of so many rooms."""
    with tempfile.TemporaryDirectory(prefix="roommood-history-") as name:
        folder = Path(name)
        url = make_url(database or f"sqlite:///{folder}/collector.sqlite")
        figures: dict[str, Any] = {"rows": rows, "database": url.get_backend_name()}
        say(f"filling {rows} rows")
        start = time.monotonic()
        _fill(url, rows, rooms)
        figures["fill_s"] = _since(start)
        say("start, pages, backup")
        figures |= _measure_pages(folder, url, say)
        say("retention")
        figures |= _retention(url)
        say("restore")
        with _second(folder, url) as second:
            figures |= _measure_restore(folder, url, second, rows)
    return figures


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _fill(url: URL, rows: int, rooms: int) -> None:
    engine = connect(_text(url))
    try:
        if _count(engine):
            raise UserError("not empty", f"database {url!r}", "give the URL of an empty one")
        fill(engine, rows, rooms, time.time())
    finally:
        engine.dispose()


def _measure_pages(folder: Path, url: URL, say: Callable[[str], None]) -> dict[str, Any]:
    with LoadSchool(folder, _text(url)) as first:  # as after a kill: all pages are looked through
        figures: dict[str, Any] = {"first_start_s": round(first.started_s, 2)}
    school = LoadSchool(folder, _text(url))
    with school:
        figures["start_s"] = round(school.started_s, 2)
        figures["start_cpu_s"] = round(school.cpu_s(), 2)
        address = f"http://127.0.0.1:{school.web_port}"
        bearer = {"authorization": f"Bearer {school.token}"}
        room = f"{SITE}/{room_name(0)}"
        pages = {
            "rooms_ms": "/",
            "room_page_ms": f"/rooms/{room}",
            "api_page_ms": f"/api/rooms/{room}/moods",
        }
        with httpx.Client(base_url=address, headers=bearer, timeout=60) as client:
            for name, path in pages.items():
                figures[name] = _median_ms(client, path)
        figures["collector_mb"] = round(school.memory_mb(), 1)
        say(f"backup while {PER_SECOND} windows come each second")
        devices = Devices(school.broker_port, DEVICES, 15.0, lambda _room, _seq: None)
        over = threading.Event()
        sender = threading.Thread(target=_send, args=(devices, over))
        sender.start()
        out = folder / "backup.tar.gz"
        took, peak = _command("backup", "--config", folder / "collector.yaml", "--out", out)
        over.set()
        sender.join()
        devices.stop()
        figures |= {"backup_s": took, "backup_mb": peak}
        figures["backup_file_mb"] = round(out.stat().st_size / 1e6, 1)
    return figures


def _median_ms(client: httpx.Client, path: str) -> float:
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        client.get(path).raise_for_status()
        times.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(times), 1)


def _send(devices: Devices, over: threading.Event) -> None:
    count, start = 0, time.monotonic()
    while not over.wait(0.01):
        due = int((time.monotonic() - start) * PER_SECOND)
        for number in range(count, due):
            devices.send(devices.rooms[number % DEVICES], number // DEVICES)
        count = due


def _command(*arguments: str | Path) -> tuple[float, float]:
    """Seconds, and megabytes at the most, of a command of the collector's."""
    command = python_command("deploy.commands.cli", "collector", *map(str, arguments))
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _peak_mb(process.pid))
        time.sleep(0.05)
    if process.returncode:
        raise UserError(f"ended with {process.returncode}", arguments[0], "see what it says above")
    return _since(start), peak


def _peak_mb(process: int) -> float:
    """Resident memory at the most so far; what wait(2) says of it counts our own, too."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return round(int(lines[0].split()[1]) * 1024 / 1e6, 1) if lines else 0.0


def _retention(url: URL) -> dict[str, float]:
    """A round with nothing due, the first of which reads what the others find in memory."""
    engine = connect(_text(url))
    worker = RetentionWorker(engine, lambda _site: Retention(windows_days=3650))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        worker.round(time.time())
        times.append(1000 * (time.perf_counter() - start))
    engine.dispose()
    return {"retention_ms": round(statistics.median(times), 1)}


@contextmanager
def _second(folder: Path, url: URL) -> Iterator[URL]:
    """An empty database of the same kind."""
    if url.get_backend_name() == "sqlite":
        yield url.set(database=str(folder / "restored.sqlite"))
        return
    second = url.set(database=f"{url.database}_restored")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{second.database}"')
    try:
        yield second
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{second.database}"')
        engine.dispose()


def _measure_restore(folder: Path, url: URL, second: URL, rows: int) -> dict[str, Any]:
    config = folder / "restored.yaml"
    settings = {"database": _text(second), "state": str(folder / "restored")}
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    took, peak = _command("restore", "--config", config, "--from", folder / "backup.tar.gz")
    engine, source = connect(_text(second)), connect(_text(url))
    whole = _count(engine, moods.c.site == SITE) == _count(source, moods.c.site == SITE) == rows
    live = _count(engine, moods.c.site == LIVE)
    figures = {"restore_s": took, "restore_mb": peak, "live_rows": live}
    figures["one_moment"] = whole and _is_one_moment(engine)
    engine.dispose()
    source.dispose()
    return figures


def _is_one_moment(engine: Engine) -> bool:
    """Whether of what came meanwhile each room has all windows up to its last."""
    last = select(func.count(), func.max(moods.c.seq)).where(moods.c.site == LIVE)
    with engine.connect() as connection:
        rooms = connection.execute(last.group_by(moods.c.room)).all()
    return all(count == newest + 1 for count, newest in rooms)


def _count(engine: Engine, *where: Any) -> int:
    query = select(func.count()).select_from(moods).where(*where)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _since(start: float) -> float:
    return round(time.monotonic() - start, 2)
