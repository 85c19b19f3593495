"""The house's walls, what may import what: `[tool.importlinter]` in pyproject.toml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("edge", "collector", "models", "deploy")
PIXELS = {"cv2", "numpy", "PIL", "picamera2"}
FROM_THE_COUNTS_ON = ("common", "kiosk", "outbox", "permission", "protocol", "transport", "window")
MOST_LOOSE = 6


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, '.'); from importlinter import cli; " + (
        "sys.exit(cli.lint_imports(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def modules(rooms: tuple[str, ...]) -> list[str]:
    paths = [path for room in rooms for path in sorted((ROOT / "edge" / room).glob("*.py"))]
    return [f"edge.{path.parent.name}.{path.stem}" for path in paths if path.stem != "__init__"]


def test_every_rule_is_kept() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("edge/window/tally.py", "import cv2", "Pixels stay"),
        ("edge/outbox/merge.py", "from edge.camera import base", "Pixels stay"),
        ("edge/protocol/counts.py", "from edge.vision import layout", "Pixels stay"),
        ("collector/api/fields.py", "from edge.window import tally", "Of the agent's packages"),
        ("collector/live/rooms.py", "from models.data import faces", "What trains"),
        ("edge/cli.py", "from collector import config", "The packages"),
        ("edge/common/errors.py", "from edge.protocol import code", "The rooms of edge"),
        ("collector/lessons/report.py", "from collector.pages import panel", "rooms of collector"),
        ("deploy/commands/site_key.py", "from deploy.commands import site", "in a circle"),
        ("deploy/commands/ports.py", "from deploy.bench import cli", "The rooms of deploy"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, file: str, line: str, rule: str) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("packs", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    result = lint(tmp_path)
    rules = [text for text in result.stdout.splitlines() if " BROKEN" in text]
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(rule in text for text in rules), rules


def test_nothing_after_tally_loads_a_pixel_library() -> None:
    """The rules read the code; this is what an interpreter does with it, all modules in one."""
    after = modules(FROM_THE_COUNTS_ON)
    assert len(after) > 30
    code = f"import sys, {', '.join(after)}; print(sorted(set(sys.modules) & {PIXELS!r}))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["edge", "collector"])
def test_few_files_stand_outside_the_folders(package: str) -> None:
    loose = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    assert len(loose) <= MOST_LOOSE, loose


def test_no_file_is_past_four_hundred_lines() -> None:
    for package in (*PACKAGES, "tests"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
