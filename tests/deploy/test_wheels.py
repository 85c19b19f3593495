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
    packages = requirements(["pi", "calendar", "kiosk"], python, "aarch64")
    report = tmp_path / "report.json"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            "--ignore-requires-python",  # it asks the Python that runs pip; the wheels' tags tell
            *("--target", str(tmp_path / "target"), "--report", str(report)),
            *command(python, "aarch64", packages, pins),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "HTTPSConnection" in result.stderr or "Temporary failure" in result.stderr:
        pytest.skip("no package registry can be reached")
    assert result.returncode == 0, result.stderr[-2000:]
    names = {one["metadata"]["name"].lower() for one in json.loads(report.read_text())["install"]}
    assert {runtime, "numpy", "opencv-python-headless", "cryptography", "gpiozero"} <= names
    assert not {"fastapi", "sqlalchemy", "torch"} & names


@pytest.mark.parametrize("extra", ["dev", "train"])
@pytest.mark.parametrize("python", ["3.10", "3.12"])
def test_the_pins_can_be_installed_on_the_oldest_python(
    tmp_path: Path, python: str, extra: str
) -> None:
    """The newest of each set is what tests/run.sh installs; this one need not be here."""
    uv = ROOT / "build" / "uv" / "bin" / "uv"
    if not uv.exists():
        pytest.skip(f"{uv} is not there: ./tests/run.sh installs it")
    pins = f"constraints-{'train-' * (extra == 'train')}{'3.11' if python < '3.12' else '3.13'}.txt"
    result = subprocess.run(
        [
            *(uv, "--system-certs", "pip", "compile", "--quiet", "--python-version", python),
            *("--extra", extra, "--constraint", ROOT / "deploy" / pins),
            *("--output-file", tmp_path / "pins.txt", ROOT / "pyproject.toml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "error sending request" in result.stderr:
        pytest.skip("no package registry can be reached")
    assert result.returncode == 0, result.stderr[-2000:]
    assert "numpy==" in (tmp_path / "pins.txt").read_text()
