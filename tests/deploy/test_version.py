"""The version comes from the tag, in a checkout and in an archive, and else from pyproject.toml."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from edge.protocol.messages import Health
from tests.conftest import ROOT


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def _version(folder: Path) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "setuptools_scm", "--root", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("pyproject.toml", ".git_archival.txt", ".gitattributes"):
        shutil.copy(ROOT / name, folder)
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "one")
    return folder


def _archive(checkout: Path) -> Path:
    folder = checkout.parent / "archive"
    folder.mkdir()
    _git(checkout, "archive", "-o", str(folder / "all.tar"), "HEAD")
    subprocess.run(["tar", "-xf", "all.tar"], cwd=folder, check=True)
    return folder


def test_a_tag_names_the_version_of_checkout_and_archive(checkout: Path) -> None:
    _git(checkout, "tag", "v7.8.9")
    assert _version(checkout) == "7.8.9"
    assert _version(_archive(checkout)) == "7.8.9"


def test_past_a_tag_it_says_how_far(checkout: Path) -> None:
    _git(checkout, "tag", "v7.8.9")
    _git(checkout, "commit", "-qm", "two", "--allow-empty")
    assert _version(checkout) == "7.8.10.dev1"
    assert _version(_archive(checkout)) == "7.8.10.dev1"


def test_without_a_tag_it_rests_on_the_last_release(checkout: Path) -> None:
    fallback = re.search(
        r'^fallback_version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M
    )
    assert fallback
    assert _version(_archive(checkout)) == fallback[1]
    major, minor, patch = fallback[1].split(".")
    assert _version(checkout) == f"{major}.{minor}.{int(patch) + 1}.dev1"


def test_what_is_installed_fits_a_status_message() -> None:
    pattern = next(
        m.pattern for m in Health.model_fields["version"].metadata if hasattr(m, "pattern")
    )
    assert re.match(pattern, version("roommood"))
