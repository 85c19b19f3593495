"""Every package of a device has a wheel for 64-bit Arm; nothing is compiled on a Pi."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.wheels import command, requirements
from tests.conftest import ROOT

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("python", "runtime"), [("3.11", "tflite-runtime"), ("3.13", "ai-edge-litert")]
)
def test_wheels_for_arm_are_resolved(tmp_path: Path, python: str, runtime: str) -> None:
    pins = ROOT / "deploy" / f"constraints-{python}.txt"
    wanted = requirements(["pi", "calendar", "kiosk"], python, "aarch64")
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            "--ignore-requires-python",  # it asks the Python that runs pip; the wheels' tags tell
            *("--target", str(tmp_path / "target"), "--report", str(report)),
            *command(python, "aarch64", wanted, pins),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "HTTPSConnection" in done.stderr or "Temporary failure" in done.stderr:
        pytest.skip("no package registry can be reached")
    assert done.returncode == 0, done.stderr[-2000:]
    found = {one["metadata"]["name"].lower() for one in json.loads(report.read_text())["install"]}
    assert {runtime, "numpy", "opencv-python-headless", "cryptography", "gpiozero"} <= found
    assert not {"fastapi", "sqlalchemy", "torch"} & found
