"""How soon a window is on every screen, with many viewers of many rooms."""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from deploy.bench.load.devices import SITE, Devices
from deploy.bench.load.school import LoadSchool

SETTLES_S = 10.0
LEFT_S = 5.0
PANEL = re.compile(rb'data-seq="(\d+)"')


class Screen:
    """One viewer's feed: when each window of its room was on it, on the monotonic clock."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.arrivals: dict[int, float] = {}
        self.open = False

    async def watch(self, school: LoadSchool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", school.web_port, limit=2**20)
        writer.write(
            f"GET /rooms/{SITE}/{self.room}/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {school.token}\r\n\r\n".encode()
        )
        try:
            while line := await reader.readline():
                if match := PANEL.search(line):
                    self.open = True
                    self.arrivals.setdefault(int(match.group(1)), time.monotonic())
        finally:
            writer.close()


def measure(viewers: int, rooms: int, window: float, seconds: float) -> dict[str, Any]:
    """Rooms publish a window each `window` seconds, each at a moment of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="roommood-load-") as folder,
        LoadSchool(Path(folder), None) as school,
    ):
        return asyncio.run(_measure(school, viewers, rooms, window, seconds))


async def _measure(
    school: LoadSchool, viewers: int, rooms: int, window: float, seconds: float
) -> dict[str, Any]:
    devices = Devices(school.broker_port, rooms, window, lambda _room, _seq: None)
    for room in devices.rooms:
        devices.send(room, 0)
    await asyncio.sleep(1)
    screens = [Screen(devices.rooms[number % rooms]) for number in range(viewers)]
    tasks = [asyncio.create_task(screen.watch(school)) for screen in screens]
    end = time.monotonic() + 60
    while not all(screen.open for screen in screens) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLES_S)
    cpu, start = school.cpu_s(), time.monotonic()
    send_times: dict[tuple[str, int], float] = {}
    phases = random.Random(1)
    due = sorted((start + phases.uniform(0, window), room, 1) for room in devices.rooms)
    while due[0][0] < start + seconds:
        at, room, seq = due.pop(0)
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        send_times[room, seq] = time.monotonic()
        devices.send(room, seq)
        due.append((at + window, room, seq + 1))
    await asyncio.sleep(LEFT_S)
    cpu_time = school.cpu_s() - cpu
    memory = school.memory_mb()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    devices.stop()
    return _figures(screens, send_times) | {
        "viewers": viewers,
        "rooms": rooms,
        "cpu_share": round(cpu_time / (time.monotonic() - start), 3),
        "memory_mb": round(memory, 1),
    }


def _figures(screens: list[Screen], send_times: dict[tuple[str, int], float]) -> dict[str, Any]:
    """A window that a later one overtook was on the screen no later than that one."""
    late: list[float] = []
    missing = 0
    for screen in screens:
        for (room, seq), at in send_times.items():
            if room != screen.room:
                continue
            moments = [
                when for number, when in screen.arrivals.items() if number >= seq and when >= at
            ]
            if moments:
                late.append(min(moments) - at)
            else:
                missing += 1
    late.sort()
    return {
        "windows": len(send_times),
        "shown": len(late),
        "missing": missing,
        "median_s": round(late[len(late) // 2], 3) if late else None,
        "p99_s": round(late[int(len(late) * 0.99)], 3) if late else None,
        "worst_s": round(late[-1], 3) if late else None,
    }
