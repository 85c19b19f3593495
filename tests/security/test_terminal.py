"""What others write steers no terminal and makes no line of its own, whatever prints it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collector.access.accounts import Accounts
from collector.cli import collector
from collector.storage.database import connect
from edge.common.say import say, say_json, say_lines
from tests.conftest import ROOT

pytestmark = pytest.mark.once

HOSTILE = "\x1b]0;pwned\x07\x1b[2J\x9b8m\u202e\u2066\u2028\r\n2026 all is well\x7f\ud800\U000e0001"
STEERING = "\x1b\x07\x9b\u202e\u2066\u2028\r\x7f\ud800\U000e0001"
PLACES = ("edge", "collector", "deploy/commands")
PRINTS = {"click.echo", "click.secho", "print", "sys.stdout.write", "sys.stderr.write"}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Name, ast.Attribute)):
            yield ast.unparse(node)


def test_no_command_prints_past_it() -> None:
    """So that what somebody adds tomorrow is held to it too."""
    past = [
        f"{path.relative_to(ROOT)}: {call}"
        for place in PLACES
        for path in (ROOT / place).rglob("*.py")
        if path != ROOT / "edge/common/say.py"
        for call in calls(path)
        if call in PRINTS
    ]
    assert past == []


def output(*lines: object) -> str:
    @click.command()
    def show() -> None:
        for line in lines:
            say(line)

    result = CliRunner().invoke(show)
    assert result.exception is None
    return result.output


def test_a_line_stays_one_line_and_steers_nothing() -> None:
    text = output(f"a\t{HOSTILE}\tb", "Größe … 5 µm █\tx")
    assert not any(one in text for one in STEERING)
    first, second, end = text.split("\n")
    assert (first.startswith("a\t"), first.endswith("\tb"), end) == (True, True, "")
    assert "all is well" in first
    assert second == "Größe … 5 µm █\tx"


def test_several_lines_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    say_lines("a\nb\x1b[2J\n", nl=False)
    assert capsys.readouterr().out == "a\nb\\x1b[2J\n"


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_json_says_the_same_without_steering(
    capsys: pytest.CaptureFixture[str], ensure_ascii: bool
) -> None:
    say_json(json.dumps({HOSTILE: [HOSTILE, "Größe"]}, ensure_ascii=ensure_ascii))
    line = capsys.readouterr().out
    assert not any(one in line for one in STEERING)
    assert line.count("\n") == 1
    assert json.loads(line) == {HOSTILE: [HOSTILE, "Größe"]}


def test_a_log_has_a_line_for_each_message() -> None:
    """In a process of its own, as log handlers are there once."""
    program = (
        "import logging, sys; from edge.common.command import log_to_stderr; "
        "log_to_stderr('info'); data = bytes.fromhex(sys.argv[1])\n"
        "text = data.decode('utf-8', 'surrogatepass')\n"
        "logging.getLogger('x').warning('said %s', text)\n"
        "try:\n    raise ValueError(text)\n"
        "except ValueError:\n    logging.getLogger('x').exception('failed')\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, HOSTILE.encode("utf-8", "surrogatepass").hex()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert not any(one in child.stderr for one in STEERING)
    lines = child.stderr.splitlines()
    assert "all is well" in lines[0]
    assert lines[0].startswith("20")
    assert not any(line.startswith("2026 all") for line in lines)


def test_accounts_are_listed_a_line_each(tmp_path: Path) -> None:
    """A display name is refused such characters; the database may hold older ones."""
    config = tmp_path / "collector.yaml"
    config.write_text(f"database: sqlite:///{tmp_path}/c.sqlite\nstate: {tmp_path}/state\n")
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    Accounts(engine).add("ann", "teacher", [("school", HOSTILE[:30])])
    engine.dispose()
    result = CliRunner().invoke(collector, ["account", "list", "--config", str(config)])
    assert result.output.count("\n") == 1
    assert not any(one in result.output for one in STEERING)
