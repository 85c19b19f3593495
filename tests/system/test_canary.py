"""The canary proof: a pattern is in every frame, and nowhere else, a crash included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from paho.mqtt import publish

from edge.outbox.windows_file import RESERVE
from tests.conftest import ROOT, Mosquitto
from tests.free import wait
from tests.system import canary
from tests.system.leaky import LEAKS
from tests.system.process import Roommood

WINDOWS = 3
WITH_CORE_DUMPS = ["prlimit", "--core=unlimited"]
TCPDUMP = shutil.which("tcpdump", path="/usr/sbin:/usr/bin:/sbin:/bin")
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        os.geteuid() != 0 or TCPDUMP is None, reason="capturing traffic needs tcpdump, and root"
    ),
]


class Evidence(NamedTuple):
    """All that an agent left: what was captured, its folder, its log, its limit on core dumps."""

    messages: bytes
    capture: bytes
    folder: Path
    log: bytes
    core_limit: str
    bytes_on_disk: int


def run(tmp_path: Path, mosquitto: Mosquitto, module: Sequence[str]) -> Evidence:
    """An agent at debug level for a few windows, then a crash; all else keeps out of its folder."""
    frames, home = tmp_path / "frames", tmp_path / "home"
    canary.pictures(frames)
    home.mkdir()
    config = tmp_path / "agent.yaml"
    settings = {
        "site": "school",
        "room": "r101",
        "camera": str(frames),
        "window_seconds": 1,
        "broker": {"port": mosquitto.port},
        "state": str(home / "state"),
        "log_level": "debug",
    }
    config.write_text(yaml.safe_dump(settings))
    capture = tmp_path / "traffic.pcap"
    tcpdump = subprocess.Popen(
        [str(TCPDUMP), "-i", "lo", "-U", "-Z", "root", "-s", "0", "-w", str(capture),
         "tcp", "port", str(mosquitto.port)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait(lambda: capture.exists() and capture.stat().st_size >= 24)
    log = tmp_path / "log"
    with log.open("wb") as errors:
        agent = subprocess.Popen(
            [
                *WITH_CORE_DUMPS,
                sys.executable,
                "-m",
                *module,
                "agent",
                "run",
                "--config",
                str(config),
            ],
            stderr=errors,
            stdout=errors,
            cwd=home,
            env={**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT)},
        )
        try:
            wait(lambda: log.read_bytes().count(b": counted") >= WINDOWS, 60)
            limits = Path(f"/proc/{agent.pid}/limits").read_text()
            counters = Path(f"/proc/{agent.pid}/io").read_text()
            time.sleep(0.5)  # the broker acknowledges the last window
        finally:
            agent.send_signal(signal.SIGSEGV)
            agent.wait(60)
            time.sleep(0.5)
            tcpdump.terminate()
            tcpdump.wait(60)
    return Evidence(
        canary.sent_to(mosquitto.port, capture),
        capture.read_bytes(),
        home,
        log.read_bytes(),
        next(line for line in limits.splitlines() if line.startswith("Max core")),
        int(next(line for line in counters.splitlines() if line.startswith("wchar")).split()[1]),
    )


def inspect(evidence: Evidence) -> list[str]:
    """Everything that is wrong."""
    wrong = canary.findings("traffic", evidence.messages) + canary.message_findings(
        evidence.messages
    )
    wrong += canary.findings("capture", evidence.capture)
    wrong += canary.findings("log", evidence.log)
    wrong += canary.folder_findings(evidence.folder)
    if evidence.core_limit.split()[4:6] != ["0", "0"]:
        wrong.append(f"core: {evidence.core_limit}")
    # The outbox takes its room in advance, twice; a frame is 900,000 bytes.
    if evidence.bytes_on_disk > 300_000 + 2 * RESERVE:
        wrong.append(f"disk: {evidence.bytes_on_disk} bytes were written")
    return wrong


def test_nothing_but_counts_leaves_and_nothing_stays(tmp_path: Path, mosquitto: Mosquitto) -> None:
    evidence = run(tmp_path, mosquitto, ["deploy.commands.cli"])
    assert len(evidence.messages) > 500 * WINDOWS  # the capture did see the moods
    assert b'"counts":{' in evidence.messages
    assert b"window 2: counted" in evidence.log
    assert inspect(evidence) == []
    left = {path.name for path in evidence.folder.rglob("*") if path.is_file()}
    outbox = {"outbox.sqlite", "outbox.sqlite-wal", "outbox.sqlite-shm", "outbox.copy0"}
    assert left <= {"agent.lock", "switch.json", *outbox}


def test_a_paused_agent_has_forgotten_what_it_saw(tmp_path: Path, mosquitto: Mosquitto) -> None:
    canary.pictures(tmp_path / "frames")
    config = tmp_path / "agent.yaml"
    settings = {
        "site": "school",
        "room": "r101",
        "camera": str(tmp_path / "frames"),
        "window_seconds": 1,
        "broker": {"port": mosquitto.port},
        "state": str(tmp_path / "state"),
        "log_level": "debug",
    }
    config.write_text(yaml.safe_dump(settings))
    with Roommood("agent", "run", "--config", config) as agent:
        agent.wait_for_line("window 2: counted", 60)
        band = canary.BAND * 1280
        assert canary.pattern_bytes(agent.process.pid) >= band  # the search finds a frame in use
        publish.single(
            "roommood/v1/school/r101/command", '{"command": "pause"}', qos=1, port=mosquitto.port
        )
        agent.wait_for_line("the camera is closed")
        # Scraps may lie in freed memory and on ended stacks; no whole frame does.
        wait(lambda: canary.pattern_bytes(agent.process.pid) < band)


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(tmp_path: Path, mosquitto: Mosquitto, leak: str) -> None:
    wrong = inspect(run(tmp_path, mosquitto, ["tests.system.leaky", leak]))
    places = {one.partition(":")[0] for one in wrong}
    findings = {
        "topic": {"traffic", "capture"},
        "thumbnail": {"traffic", "capture"},
        "disk": {"last.jpg", "disk"},
        "log": {"log"},
        "core": {"core"},
    }[leak]
    assert findings <= places, wrong
    if leak == "core" and not CORE_PATTERN.read_text().startswith(("|", "/")):
        assert any(one.startswith("core") and "the pattern" in one for one in wrong), wrong
