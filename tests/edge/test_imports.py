"""The house's walls: what may import what, read from the code and tried in a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

AFTER_TALLY = [
    *("window.tally", "window.disclosure", "window.noise"),
    *("outbox.store", "outbox.merge", "outbox.windows_file", "outbox.second_copy"),
    "transport.publisher",
    *(f"common.{part}" for part in ("atomic_file", "broker", "clock", "link", "privileges")),
    *(f"protocol.{part}" for part in ("messages", "counts", "device_api", "code", "identity")),
    *("protocol.bundle", "protocol.attestation"),
    *("run.supervision", "run.thermal", "run.health", "run.local_pages"),
    *("kiosk.view", "kiosk.pages", "device.enrol", "device.sync", "device.slots"),
    *(f"permission.{part}" for part in ("audit", "gate", "gpio", "pin", "schedule", "switch")),
]
PIXELS = {"cv2", "numpy", "PIL", "picamera2"}


def module_path(name: str) -> Path | None:
    base = ROOT / Path(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(
                full
                for alias in node.names
                if module_path(full := f"{node.module}.{alias.name}") is not None
            )
    return names


def reached(start: str) -> dict[str, str]:
    """Every module reachable from `start`, with the one that imports it."""
    found, waiting = {start: ""}, [start]
    while waiting:
        name = waiting.pop()
        path = module_path(name)
        if path is None:
            continue
        for other in imported(path) - found.keys():
            found[other] = name
            waiting.append(other)
    return found


@pytest.mark.parametrize("stage", AFTER_TALLY)
def test_nothing_after_tally_can_reach_a_pixel(stage: str) -> None:
    found = reached(f"edge.{stage}")
    wrong = {
        name: by
        for name, by in found.items()
        if name.split(".")[0] in PIXELS or name.startswith(("edge.camera", "edge.vision.faces"))
    }
    assert not wrong
    assert len(found) > 1


@pytest.mark.parametrize("stage", AFTER_TALLY)
def test_nothing_after_tally_loads_a_pixel_library(stage: str) -> None:
    code = f"import sys, edge.{stage}; print(sorted(set(sys.modules) & {PIXELS!r}))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


def test_the_walk_can_find_a_pixel() -> None:
    assert "cv2" in reached("edge.vision.emotion")
    assert "cv2" in reached("edge.agent")


def test_the_collector_takes_only_the_wire_from_the_agent() -> None:
    for path in (ROOT / "collector").rglob("*.py"):
        rooms = {name.split(".")[1] for name in imported(path) if name.startswith("edge.")}
        assert rooms <= {"common", "protocol"}, path


def test_the_agent_knows_nothing_of_the_other_packages() -> None:
    for path in (ROOT / "edge").rglob("*.py"):
        others = {name.split(".")[0] for name in imported(path)} & {"collector", "deploy", "models"}
        assert not others, path
    assert (ROOT / "edge" / "__init__.py").read_text() == ""


def test_no_file_is_past_four_hundred_lines() -> None:
    for package in ("edge", "collector", "models", "deploy", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
