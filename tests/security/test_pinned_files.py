"""What root installs is what was pinned, file by file: a version number alone names no content."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.once

FILL = ROOT / "deploy" / "libexec" / "fill-environment"
AS_ROOT = ("install.sh", "install-agent", "install-collector")


def wheel(folder: Path, name: str, content: str) -> Path:
    """With one module of its name."""
    file = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", content)
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return file


def test_a_file_of_the_right_version_with_other_content_is_not_installed(tmp_path: Path) -> None:
    """From a folder of wheels, and so from a mirror, and from where pip is led."""
    keep, wheels = tmp_path / "keep", tmp_path / "wheels"
    (keep / "pins").mkdir(parents=True)
    wheels.mkdir()
    wheel(keep, "roommood", "")
    good = wheel(wheels, "part", "GOOD = True").read_bytes()
    digest = hashlib.sha256(good).hexdigest()
    (keep / "extras").write_text("pi\n")
    (keep / "pins" / "pi.txt").write_text(f"part==1.0 --hash=sha256:{digest}\n")
    command = [str(FILL), str(tmp_path), sys.executable, str(wheels)]
    other = wheel(wheels, "part", "GOOD = False")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "DO NOT MATCH THE HASHES" in result.stderr
    assert not list(tmp_path.glob("lib/*/site-packages/*part*"))
    other.write_bytes(good)
    subprocess.run(command, check=True)
    assert list(tmp_path.glob("lib/*/site-packages/part.py"))


def test_root_calls_pip_with_hashes_or_with_what_is_there() -> None:
    """In `fill-environment` by a function of its own."""
    calls: list[str] = []
    for file in [
        *(ROOT / "deploy" / name for name in AS_ROOT),
        FILL,
        FILL.with_name("mend-environment"),
    ]:
        text = file.read_text().replace("\\\n", " ")
        assert "curl" not in text
        calls += re.findall(r"pip (?:install|wheel) .*|^install --.*", text, re.MULTILINE)
    own = [
        call
        for call in calls
        if "--" in call.replace("--quiet --disable-pip-version-check --no-cache-dir", "")
    ]
    assert len(own) == 4
    assert all("--require-hashes" in call or "--no-index" in call for call in own), own
