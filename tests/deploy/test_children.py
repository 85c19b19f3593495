"""What a user has in the current folder is never run in place of ours, wherever a child starts."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.common.child import python_command
from tests.conftest import ROOT

pytestmark = pytest.mark.once

THEIRS = (
    *("deploy", "edge", "models", "collector"),
    *("runpy", "json", "logging", "click", "numpy", "pip", "venv", "ensurepip"),
)
SOURCES = sorted(
    path
    for part in ("edge", "collector", "deploy", "models")
    for path in (ROOT / part).rglob("*.py")
)
SCRIPTS = sorted(
    path
    for path in (ROOT / "deploy").rglob("*")
    if path.is_file() and path.suffix in ("", ".sh") and path.read_bytes().startswith(b"#!")
)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder whose files are named as our modules are, and as those that we use."""
    for name in THEIRS:
        (tmp_path / f"{name}.py").write_text('print("theirs ran")\nraise SystemExit(7)\n')
    return tmp_path


def children() -> list[tuple[str, str]]:
    """Where a child is begun, and the module that it runs: every call of python_command."""
    calls = []
    for path in SOURCES:
        text = path.read_text()
        if "python_command" not in text:  # no need to parse it, in each of pytest's workers
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "python_command":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    calls.append((str(path.relative_to(ROOT)), str(first.value)))
    return calls


def test_children_are_begun_by_the_one_function_alone() -> None:
    ours = {ROOT / "edge/common/child.py"}
    others = [path for path in SOURCES if "sys.executable" in path.read_text() and path not in ours]
    assert others == []
    assert len(children()) >= 7


@pytest.mark.parametrize(("where", "module"), children())
def test_a_child_runs_our_module(where: str, module: str, theirs: Path) -> None:
    child = subprocess.run(
        python_command(module, "--help"),
        cwd=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    output = child.stdout + child.stderr
    assert "theirs ran" not in output, where
    assert "No module named" not in output
    assert child.returncode != 7


def test_what_a_child_is_given_arrives() -> None:
    code = python_command("json.tool", "--sort-keys", "--compact", "-")
    child = subprocess.run(
        code, input='{"b": 1, "a": 2}', capture_output=True, text=True, check=True
    )
    assert child.stdout == '{"a":2,"b":1}\n'


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.name))
def test_installers_begin_python_apart_from_the_current_folder(script: Path) -> None:
    for line in script.read_text().splitlines():
        for match in re.finditer(r"python[0-9.]*\"? +(-\S+)", line):
            assert match[1] in ("-I", "-V", "--version"), line


@pytest.mark.parametrize("module", ["pip", "venv"])
def test_and_that_keeps_theirs_from_running(module: str, theirs: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-I", "-m", module, "--help"],
        cwd=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (child.returncode, "theirs ran" in child.stdout) == (0, False)


def test_a_demo_in_such_a_folder_is_ours(theirs: Path) -> None:
    command = Path(sys.executable).with_name("roommood")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    demo = subprocess.run(
        [command, "demo", "--seconds", "4", "--window", "1", "--port", "0", "--json"],
        cwd=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
        env=environment,
    )
    assert "theirs ran" not in demo.stdout + demo.stderr
    assert demo.returncode == 0, demo.stderr
    assert json.loads(demo.stdout.splitlines()[0])["room"] == "classroom"
