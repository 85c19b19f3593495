"""What no installation has: what breaks, trains and measures stays in the checkout."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.cli import FROM_A_CHECKOUT
from tests.conftest import ROOT

pytestmark = pytest.mark.once

PARTS = ("deploy/bench", "models/data", "models/measure", "models/training")


def copy(part: str, root: Path, folder: Path) -> Path:
    folder.mkdir()
    script = f'root={root} part={part}; . {ROOT}/deploy/install.sh; copy_source "{folder}"'
    subprocess.run(["bash", "-euc", script], check=True)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as it stands, in a repository of its own with a tag; tests copy from it."""
    folder = tmp_path_factory.mktemp("part") / "checkout"
    names = [".gitattributes", ".git_archival.txt", "README.md", "LICENSE", "pyproject.toml"]
    parts = ["edge", "collector", "models", "deploy"]
    folder.mkdir()
    leave = [f"--exclude={text}" for text in ("__pycache__", "*.npz", "*.png")]
    subprocess.run(["cp", *names, folder], cwd=ROOT, check=True)
    tar = subprocess.run(
        ["tar", *leave, "-cf", "-", *parts], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["tar", "-xf", "-"], cwd=folder, check=True, input=tar.stdout)
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one"), ("tag", "v7.8.9")):
        subprocess.run(["git", *who, *words], cwd=folder, check=True)
    return folder


ONLY_HERE = (
    "import importlib, sys; sys.path.insert(0, '.'); sys.meta_path[:] = "
    "[one for one in sys.meta_path if not one.__module__.startswith('__editable__')]; "
)
"""Before any import: what lacks here is not to be had from the checkout that runs the tests."""

NEEDS = {
    "train": ["--data", "x", "--out", "x"],
    "quantize": ["--run", "x", "--out", "x"],
    "explain": ["--model", "fer7", "--data", "x", "--out", "x"],
}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of this copy, with the packages that are installed here."""
    code = ONLY_HERE + "from deploy.commands.cli import main; main()"
    command = [sys.executable, "-I", "-c", code, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


PART_COMMANDS = {
    "agent": [["--help"], ["agent", "--help"], ["agent", "run", "--help"]],
    "collector": [["collector", "run", "--help"]],
}
OWN_CODE = {
    "agent": ("edge", "deploy/commands/device.py"),
    "collector": ("collector", "edge", "deploy/commands"),
}


@pytest.mark.parametrize("part", PART_COMMANDS)
def test_a_part_is_installed_without_what_breaks_and_trains(
    checkout: Path, tmp_path: Path, part: str
) -> None:
    folder = copy(part, checkout, tmp_path / part)
    assert [path for path in PARTS if (folder / path).exists()] == []
    scm = [sys.executable, "-m", "setuptools_scm", "--root", "."]
    version = subprocess.run(scm, cwd=folder, check=True, capture_output=True, text=True)
    assert version.stdout.strip() == "7.8.9", "no word of a change"


@pytest.mark.parametrize("part", PART_COMMANDS)
def test_it_needs_nothing_of_that(checkout: Path, tmp_path: Path, part: str) -> None:
    folder = copy(part, checkout, tmp_path / part)
    for words in PART_COMMANDS[part]:
        assert run(folder, *words).returncode == 0, words
    files = [
        file
        for path in OWN_CODE[part]
        for file in (
            [folder / path] if path.endswith(".py") else sorted((folder / path).rglob("*.py"))
        )
        if file.name != "__main__.py" and "migrations" not in file.parts
    ]
    assert len(files) > 80
    every = [".".join(file.relative_to(folder).with_suffix("").parts) for file in files]
    code = ONLY_HERE + f"[importlib.import_module(name) for name in {every}]"
    subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, check=True)


def test_it_says_where_that_is(checkout: Path, tmp_path: Path) -> None:
    folder = copy("collector", checkout, tmp_path / "collector")
    for words in (["bench"], *(["model", name] for name in sorted(FROM_A_CHECKOUT))):
        refusal = run(folder, *words, *NEEDS.get(words[-1], ["--help"]))
        assert refusal.returncode == 2, words
        assert f"'roommood {' '.join(words)}' is not for a device in a room" in refusal.stderr
        assert "run it from a checkout" in refusal.stderr
    assert set(re.findall(r"^  (\w+)  ", run(folder, "model").stdout, re.M)) == {"fetch", "verify"}
    result = run(folder, "model", "verify", "fer7")
    assert "ok" in result.stdout, result.stderr
