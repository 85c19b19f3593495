"""Every package that root installs has a wheel with a known hash; nothing is compiled on a Pi."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.wheels import PARTS, command, pins
from tests.conftest import ROOT

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("python", "machine"),
    [("3.10", "aarch64"), ("3.11", "x86_64"), ("3.13", "aarch64")],
)
def test_what_root_installs_is_whole_and_its_hashes_are_known(
    tmp_path: Path, python: str, machine: str
) -> None:
    """For each Python and machine there are wheels with a hash that is pinned, and nothing else is
    needed."""
    pins_file, report = tmp_path / "pins.txt", tmp_path / "report.json"
    pins_file.write_text(pins(PARTS, python, machine))
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            "--ignore-requires-python",  # it asks the Python that runs pip; the wheels' tags tell
            *("--target", str(tmp_path / "target"), "--report", str(report)),
            *command(python, machine, pins_file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "HTTPSConnection" in result.stderr or "Temporary failure" in result.stderr:
        pytest.skip("no package registry can be reached")
    assert result.returncode == 0, result.stderr[-2000:]
    place = {"python_version": python, "python_full_version": f"{python}.0"}
    place |= {"platform_machine": machine, "sys_platform": "linux"}
    packages = [one["metadata"] for one in json.loads(report.read_text())["install"]]
    names = {canonicalize_name(one["name"]) for one in packages}
    needs = {(text, extra) for text in requires("roommood") or [] for extra in PARTS}
    needs |= {(text, "") for one in packages for text in one.get("requires_dist", [])}
    for text, extra in needs:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(place | {"extra": extra}):
            assert canonicalize_name(requirement.name) in names | {"roommood"}, text
    runtime = "tflite-runtime" if python < "3.12" else "ai-edge-litert"
    assert {runtime, "numpy", "opencv-python-headless", "cryptography", "setuptools"} <= names
    assert not {"torch", "pytest"} & names


@pytest.mark.parametrize("part", [*PARTS, "build"])
def test_every_pin_has_a_hash_and_names_no_host(part: str) -> None:
    text = (ROOT / "deploy" / "pins" / f"{part}.txt").read_text()
    assert "://" not in text
    assert "@" not in text
    for pin in re.findall(r"^[^#\s].*(?:\n {4}.*)*", text, re.MULTILINE):
        assert re.match(r"^[a-z0-9-]+==[^ ]+( ; .*)? \\\n {4}--hash=sha256:[0-9a-f]{64}", pin), pin


@pytest.mark.parametrize("part", PARTS)
def test_root_installs_the_versions_that_the_tests_run_with(part: str) -> None:
    for python in ("3.11", "3.13"):
        lines = (ROOT / "deploy" / f"constraints-{python}.txt").read_text().splitlines()
        parts = [line.split("==") for line in lines if not line.startswith("#")]
        versions = {f"{canonicalize_name(name)}=={version}" for name, version in parts}
        own = re.findall(r"^[a-z0-9-]+==[^ ]+", pins([part], python, "x86_64"), re.MULTILINE)
        missing = [pin for pin in own if pin not in versions]
        assert not missing


@pytest.mark.parametrize("extra", ["dev", "train"])
@pytest.mark.parametrize("python", ["3.10", "3.12"])
def test_the_pins_can_be_installed_on_the_oldest_python(
    tmp_path: Path, python: str, extra: str
) -> None:
    """The newest of each set is what tests/run.sh installs; this one need not be here."""
    uv = ROOT / "build" / "uv" / "bin" / "uv"
    if not uv.exists():
        pytest.skip(f"{uv} is not there: ./tests/run.sh installs it")
    constraints = (
        f"constraints-{'train-' * (extra == 'train')}{'3.11' if python < '3.12' else '3.13'}.txt"
    )
    result = subprocess.run(
        [
            *(uv, "--system-certs", "pip", "compile", "--quiet", "--python-version", python),
            *("--extra", extra, "--constraint", ROOT / "deploy" / constraints),
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
