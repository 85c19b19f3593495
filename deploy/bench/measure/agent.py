"""The agent itself, as a process: how soon it has looked at a frame, and how much memory it has."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import yaml

from deploy.bench.measure.material import SimulatedSource, scale
from edge.common.child import python_command
from edge.common.errors import UserError
from edge.run.supervision import resident_mb

HEIGHT = 1080
FRAMES = 20
WATCHED_S = 30.0
FIRST_FRAME = re.compile(r"first frame was analysed ([0-9.]+) s after the start")


def film(path: Path) -> None:
    """A film of the simulated classroom at 1080 lines."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (1920, HEIGHT), isColor=True
    )
    for picture in SimulatedSource().shots(10, FRAMES):
        writer.write(cv2.cvtColor(scale(picture.grey, HEIGHT), cv2.COLOR_GRAY2BGR))
    writer.release()


def figures(model: str) -> dict[str, Any]:
    """`start_s` and `rss_mb` (the most in half a minute) of an agent that watches 1080 lines.

    There is no broker: it waits for one, as it would in a school's outage.
    """
    with tempfile.TemporaryDirectory(prefix="roommood-agent-") as name:
        folder = Path(name)
        film(folder / "room.avi")
        settings = {
            "site": "bench",
            "room": "bench",
            "camera": str(folder / "room.avi"),
            "model": model,
            "broker": {"port": 9},  # discard: nobody answers
            "state": str(folder / "state"),
        }
        config = folder / "agent.yaml"
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        log = folder / "log"
        with log.open("wb") as out:
            command = python_command("deploy.commands.cli", "agent", "run", "--config", str(config))
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=out)
        try:
            most = _peak_memory(Path(f"/proc/{process.pid}/statm"))
        finally:
            process.terminate()
            process.wait(10)
        match = FIRST_FRAME.search(log.read_text(encoding="utf-8"))
        if match is None:
            raise UserError(
                f"has analysed no frame: {log.read_text(encoding='utf-8')}",
                "agent",
                "run `roommood agent check` on this machine",
            )
        return {"height": HEIGHT, "start_s": float(match[1]), "rss_mb": most}


def _peak_memory(statm: Path) -> float:
    most, end = 0.0, time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        most = max(most, resident_mb(statm))
        time.sleep(0.1)
    return most
