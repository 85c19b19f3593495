"""How many windows per second a collector stores, acknowledged after their commit, none lost."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from collector.storage.database import connect
from collector.storage.tables import moods
from deploy.bench.load.devices import SITE, Devices
from deploy.bench.load.school import LoadSchool

ROOMS = 200
WINDOW_S = 15.0
DRAINS_S = 60.0
AGAIN_S = 5.0
"""What is not acknowledged is sent again, as devices do."""


def measure(per_second: int, seconds: float, database: str | None) -> dict[str, Any]:
    """Sends at a steady rate; gives what was sent, acknowledged and stored."""
    acks: set[tuple[str, int]] = set()
    with (
        tempfile.TemporaryDirectory(prefix="roommood-load-") as folder,
        LoadSchool(Path(folder), database) as school,
    ):
        devices = Devices(
            school.broker_port, ROOMS, WINDOW_S, lambda room, seq: acks.add((room, seq))
        )
        count, again, behind, start = 0, 0, 0, time.monotonic()
        while (now := time.monotonic() - start) < seconds:
            due = int(now * per_second)
            while count < due:
                devices.send(devices.rooms[count % ROOMS], count // ROOMS)
                count += 1
            behind = max(behind, count - len(acks))
            time.sleep(0.005)
        took = time.monotonic() - start
        end = time.monotonic() + DRAINS_S
        while len(acks) < count and time.monotonic() < end:
            time.sleep(0.01)
            if time.monotonic() - start - took > AGAIN_S:
                again += _send_again(devices, count, acks)
                begun_again = time.monotonic()
                while time.monotonic() - begun_again < AGAIN_S and len(acks) < count:
                    time.sleep(0.01)
        drain_s = time.monotonic() - start - took
        cpu, memory = school.cpu_s(), school.memory_mb()
        devices.stop()
        engine = connect(school.database)
        with engine.connect() as connection:
            query = select(func.count()).select_from(moods).where(moods.c.site == SITE)
            row_count = connection.execute(query).scalar_one()
        engine.dispose()
    return {
        "per_second": round(count / took, 1),
        "sent": count,
        "acknowledged": len(acks),
        "stored": row_count,
        "sent_again": again,
        "most_behind": behind,
        "drained_s": round(drain_s, 2),
        "cpu_s": round(cpu, 1),
        "memory_mb": round(memory, 1),
    }


def _send_again(devices: Devices, count: int, acks: set[tuple[str, int]]) -> int:
    missing = [
        (devices.rooms[number % ROOMS], number // ROOMS)
        for number in range(count)
        if (devices.rooms[number % ROOMS], number // ROOMS) not in acks
    ]
    for room, seq in missing:
        devices.send(room, seq)
    return len(missing)
