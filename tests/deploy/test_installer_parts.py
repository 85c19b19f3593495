"""Small parts of the installers, each by itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT

SOURCE = 'root=$1 part=agent; . "$root/deploy/install.sh"; '


def bash(script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euc", SOURCE + script, "x", str(ROOT), *words],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **environment},
        check=False,
    )


def test_proxies_come_through_sudo(tmp_path: Path) -> None:
    """Its parent still has them; here `env -i` takes them away as sudo does."""
    script = tmp_path / "inner.sh"
    script.write_text(f'{SOURCE}\nkeep_proxies\necho "$http_proxy $no_proxy"\n')
    caller = f'env -i PATH="$PATH" SUDO_USER=ann bash {script} {ROOT}; true'
    result = subprocess.run(
        ["bash", "-c", caller],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "http_proxy": "http://proxy.example:3128",
            "no_proxy": "school.example",
        },
        check=False,
    )
    assert result.stdout.split() == ["http://proxy.example:3128", "school.example"], result.stderr


def test_without_sudo_nothing_is_taken_from_elsewhere(tmp_path: Path) -> None:
    result = bash('keep_proxies; echo "[${https_proxy:-}]"')
    assert result.stdout.strip() == "[]"


def test_packages_that_cannot_be_fetched_are_said_in_words(tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: Unable to fetch some archives' >&2\nexit 100\n")
    apt.chmod(0o755)
    who = tmp_path / "id"
    who.write_text("#!/bin/sh\necho 0\n")
    who.chmod(0o755)
    result = bash("need_packages /nowhere cage", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode == 2
    assert "could not be fetched" in result.stderr
    assert "cage" in result.stderr
    assert "http_proxy=" in result.stderr


def test_no_link_leads_to_what_was_removed(tmp_path: Path) -> None:
    link = tmp_path / "roommood"
    link.symlink_to(tmp_path / "collector" / "current" / "bin" / "roommood")
    agent = tmp_path / "agent" / "current" / "bin" / "roommood"
    agent.parent.mkdir(parents=True)
    agent.write_text("#!/bin/sh\n")
    agent.chmod(0o755)
    assert bash('tidy_command "$2" "$3"', str(link), str(tmp_path)).returncode == 0
    assert link.resolve() == agent
    agent.unlink()
    assert bash('tidy_command "$2" "$3"', str(link), str(tmp_path)).returncode == 0
    assert not link.is_symlink()
