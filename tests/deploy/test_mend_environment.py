"""A part whose Python was replaced by the next Debian's gets it back, unattended and offline."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.once

LIBEXEC = ROOT / "deploy" / "libexec"
RUNS = "import deploy.commands.cli"
DIST = "roommood-9.0.dist-info"


def small_wheel(folder: Path) -> None:
    """A wheel of our name with the module that shows that an environment runs."""
    with zipfile.ZipFile(folder / "roommood-9.0-py3-none-any.whl", "w") as wheel:
        for name in ("deploy/__init__.py", "deploy/commands/__init__.py", "deploy/commands/cli.py"):
            wheel.writestr(name, "")
        wheel.writestr(
            f"{DIST}/METADATA",
            "Metadata-Version: 2.1\nName: roommood\nVersion: 9.0\nProvides-Extra: calendar\n",
        )
        wheel.writestr(f"{DIST}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{DIST}/RECORD", "")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """As an installer leaves it: a version in use, made for a Python that is gone since."""
    version = tmp_path / "agent" / "versions" / "0.1.0-123-py3.9"
    (version / "keep").mkdir(parents=True)
    small_wheel(version / "keep")
    (version / "keep" / "pins").mkdir()
    for pins in (ROOT / "deploy" / "pins").iterdir():
        (version / "keep" / "pins" / pins.name).write_text("# nothing more\n")
    (version / "keep" / "extras").write_text("calendar\n")
    shutil.copytree(LIBEXEC, version / "libexec")
    (version / "systemd").mkdir()
    (version / "bin").mkdir()
    (version / "bin" / "python").symlink_to("/usr/bin/python3.9-gone")
    (tmp_path / "agent" / "wheels").mkdir()
    (tmp_path / "agent" / "current").symlink_to(version)
    return tmp_path / "agent"


def mend(prefix: Path, pythons: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Without a network: pip is led to a port that nobody listens on."""
    environment = os.environ | {
        "ROOMMOOD_PYTHONS": pythons,
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
    }
    return subprocess.run(
        [prefix / "current" / "libexec" / "mend-environment", "agent", prefix],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def runs(prefix: Path) -> bool:
    python = prefix / "current" / "bin" / "python"
    command = [str(python), "-I", "-c", RUNS]
    return (
        python.exists()
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


def test_it_runs_again_and_the_second_time_nothing_is_done(prefix: Path) -> None:
    assert not runs(prefix)
    result = mend(prefix)
    assert result.returncode == 0, result.stderr
    assert runs(prefix)
    number = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (prefix / "current").resolve().name == f"0.1.0-123-py{number}"
    assert f"runs again, with Python {number}" in result.stderr
    assert [one.name for one in (prefix / "versions").iterdir()] == [f"0.1.0-123-py{number}"]
    for name in ("libexec", "systemd", "keep"):
        assert (prefix / "current" / name).is_dir(), name
    again = mend(prefix)
    assert (again.returncode, again.stderr) == (0, "")


def test_where_it_cannot_be_mended_the_words_say_what_to_do(prefix: Path) -> None:
    result = mend(prefix, "python3.9-gone")
    assert result.returncode == 1
    assert "apt-get install python3 python3-venv" in result.stderr
    (prefix / "current" / "keep" / "extras").write_text("[\n")  # pip cannot read it
    result = mend(prefix)
    assert result.returncode == 1
    assert "works by itself within the hour" in result.stderr
    assert (prefix / "current" / "keep").is_dir()  # the next try has what it needs
    shutil.rmtree((prefix / "current" / "keep").resolve())
    result = mend(prefix)
    assert "Run install-agent again" in result.stderr


@pytest.mark.parametrize("part", ["agent", "collector"])
def test_the_unit_runs_before_the_service_and_every_hour(part: str) -> None:
    unit = (ROOT / "systemd" / f"roommood-{part}-environment.service").read_text()
    assert f"Before=roommood-{part}.service" in unit
    assert f"libexec/mend-environment {part}" in unit
    installer = (ROOT / "deploy" / f"install-{part}").read_text()
    assert installer.count(f"roommood-{part}-environment.service") >= 2  # put there, and enabled
    assert installer.count(f"roommood-{part}-environment.timer") >= 2


def test_the_installer_names_an_environment_by_its_python(tmp_path: Path) -> None:
    """So that another Python's is made anew, and one that no longer runs is not taken."""
    script = """
    root=$1 part=agent
    . "$root/deploy/install.sh"
    prefix=$2
    version_folder calendar "$3"
    """
    result = subprocess.run(
        ["bash", "-euc", script, "x", str(ROOT), str(tmp_path), sys.executable],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip().endswith(f"-py{sys.version_info.major}.{sys.version_info.minor}")
