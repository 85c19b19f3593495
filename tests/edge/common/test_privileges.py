"""Root's commands on a service's files; as another user they run only where tests are root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CODE = """
import os, sys
from pathlib import Path
from edge.common.privileges import become_owner
folder = Path(sys.argv[1])
become_owner(folder)
(folder / "made").write_text("")
print(os.getuid(), os.getgid(), (folder / "made").stat().st_uid)
"""


def test_root_goes_on_as_the_owner(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: there is nobody to become")
    folder = tmp_path / "state"
    folder.mkdir()
    for path in (folder, *tmp_path.parents[:-2]):
        path.chmod(0o755)
    tmp_path.chmod(0o755)
    os.chown(folder, 65534, 65534)
    run = subprocess.run(
        [sys.executable, "-c", CODE, str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert run.stdout.split() == ["65534", "65534", "65534"], run.stderr


def test_its_own_folder_and_one_that_is_not_there_change_nothing(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert run.stdout.split()[0] == str(os.getuid())
