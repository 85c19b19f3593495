"""The table of threads in ARCHITECTURE.md against those of a running agent and collector."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from tests.collector.integrations.test_integrations import SECRET
from tests.conftest import ROOT
from tests.fleet import Site
from tests.free import free_port, wait

pytestmark = pytest.mark.once

SPY = """
import sys, threading, time
out, seen = sys.argv.pop(1), set()
def spy():
    while True:
        seen.update(thread.name for thread in threading.enumerate())
        with open(out, "w") as file: file.write("\\n".join(sorted(seen - {"spy"})))
        time.sleep(0.2)
threading.Thread(target=spy, name="spy", daemon=True).start()
from deploy.commands.cli import main
main()
"""


def rows() -> list[list[str]]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("## Threads")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def of(process: str) -> dict[str, bool]:
    """Names of a process's threads, and whether they are there from its start."""
    here = [(row[0].strip("`"), row[1]) for row in rows()]
    both = {name: where for name, where in here if where.split(",")[0] in (process, "both")}
    return {name: "on demand" not in where for name, where in both.items()}


def agent(folder: Path) -> tuple[list[str], str]:
    settings = {
        **{"site": "school", "room": "r101", "camera": "sim:seats=6,seed=2", "window_seconds": 1},
        **{"broker": {"port": free_port()}, "state": "state"},
        "kiosk": {"port": free_port(), "responsible": "Mx Example"},
        "health": {"port": free_port()},
    }
    (folder / "agent.yaml").write_text(yaml.safe_dump(settings))
    health: dict[str, int] = settings["health"]  # type: ignore[assignment]  # as written above
    return ["agent", "run", "--config", str(folder / "agent.yaml")], (
        f"http://127.0.0.1:{health['port']}/healthz"
    )


def collector(folder: Path) -> tuple[list[str], str]:
    site = Site(folder)
    content = yaml.safe_load(site.config.read_text())
    hook = {"url": "http://127.0.0.1:1/", "secret": SECRET, "events": ["room_state"]}
    site.config.write_text(yaml.safe_dump(content | {"webhooks": [hook], "alerts": {}}))
    return ["collector", "run", "--config", str(site.config)], f"{site.url}/healthz"


BEGIN = {"agent": agent, "collector": collector}


@pytest.mark.parametrize("which", BEGIN)
def test_the_table_names_the_threads_there_are(which: str, tmp_path: Path) -> None:
    arguments, health = BEGIN[which](tmp_path)
    names, file = of(which), tmp_path / "threads"
    process = subprocess.Popen(
        [sys.executable, "-c", SPY, str(file), *arguments], stderr=subprocess.DEVNULL
    )

    def missing() -> set[str]:
        """Answered at all, if only that there is no broker."""
        try:
            httpx.get(health, verify=False, timeout=30)  # noqa: S501  # our own, on loopback
        except httpx.HTTPError:
            return {"an answer"}
        lines = file.read_text().splitlines()
        return {
            name for name, always in names.items() if always and not fnmatch.filter(lines, name)
        }

    try:
        wait(lambda: not missing(), 60)
    finally:
        process.terminate()
        process.wait(30)
    assert process.returncode == 0
    unknown = [
        name
        for name in file.read_text().splitlines()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in names)
    ]
    assert unknown == []


def test_every_cell_of_the_table_is_filled() -> None:
    assert len(rows()) > 15
    assert all(len(row) == 6 and all(row) for row in rows())
