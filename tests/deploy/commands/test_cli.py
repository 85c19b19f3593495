"""The command as a user meets it: real processes, exit status, one line of advice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deploy.commands import cli
from edge.cli import agent
from edge.common.errors import UserError
from edge.permission.pin import Pin
from tests.conftest import ROOT
from tests.free import free_port


def roommood(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.commands.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("command", ["demo", "agent run", "collector run", "model"])
def test_a_command_has_help(command: str) -> None:
    """As a process, each with the packages that it imports; all of them: below, in this one."""
    run = roommood(*command.split(), "--help")
    assert run.returncode == 0
    assert run.stdout.startswith("Usage:")


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        path = f"{context.info_name} {name}".strip()
        yield path, command
        if isinstance(command, click.Group):
            yield from commands(command, click.Context(command, info_name=path))


def test_no_command_has_a_line_cut_and_each_says_what_it_does() -> None:
    every = dict(commands(cli.roommood, click.Context(cli.roommood, info_name="")))
    assert len(every) > 50
    for path, command in every.items():
        answer = CliRunner().invoke(command, ["--help"])
        assert answer.exit_code == 0, path
        assert answer.output.startswith("Usage:"), path
        _usage, _, text = answer.output.partition("\n\n")
        assert command.help, path
        assert "..." not in text, path
        assert all(len(line) <= 80 for line in text.splitlines()), path
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{path}: {option.name}"


@pytest.mark.parametrize(
    "command", ["", "agent", "collector", "collector account", "site", "device"]
)
def test_a_command_alone_shows_what_there_is(command: str) -> None:
    run = roommood(*command.split())
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Usage:")
    assert "Commands:" in run.stdout


def test_a_shell_completes_what_is_typed() -> None:
    words = {"_ROOMMOOD_COMPLETE": "bash_complete", "COMP_WORDS": "roommood agent sch"}
    code = "from deploy.commands.cli import main; import sys; sys.argv[0] = 'roommood'; main()"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | words | {"COMP_CWORD": "2"},
    )
    assert run.stdout.splitlines() == ["plain,schedule"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("demo --source nowhere.mp4", "nowhere.mp4: no such file or folder: use one of usb:0"),
        ("demo --source usb:97", "/dev/video97: no such camera: plug it in"),
        ("demo --source README.md", "README.md: not a video but a text"),
        ("demo --window 0", "Invalid value for '--window'"),
        ("demo --state /dev/null/x", "/dev/null/x"),
        ("agent run --config nowhere.yaml", "nowhere.yaml: no such file"),
        ("agent run", "Missing option '--config'"),
        ("collector check --config nowhere.yaml", "nowhere.yaml: no such file"),
        ("model evaluate --model fer8 --data x.npz", "x.npz: no such file"),
        ("model verify fer8", "fer8: no such model pack"),
        ("model card --model x.tflite --data x.npz", "x.tflite: cannot be read"),
        ("site attest --key k --answers nowhere.yaml --out o", "nowhere.yaml: no such file"),
        ("site key --out /dev/null/x", "/dev/null/x: cannot be written"),
        ("sing", "No such command 'sing'"),
    ],
)
def test_bad_input_is_one_line_and_status_two(command: str, words: str) -> None:
    run = roommood(*command.split())
    assert run.returncode == 2
    assert run.stdout == ""
    lines = run.stderr.strip().splitlines()
    assert lines[-1].startswith("roommood: ")
    assert words in lines[-1]
    assert len(lines) == 1
    assert "Traceback" not in run.stderr


def test_check_and_show_config(tmp_path: Path) -> None:
    config = tmp_path / "agent.yaml"
    nobody = f"broker: {{port: {free_port()}}}\n"
    config.write_text(f"site: school\nroom: r101\nstate: kept\ncamera: sim:seats=6\n{nobody}")
    check = roommood("agent", "check", "--config", config)
    assert check.returncode == 1, check.stderr
    assert "nothing accepts connections there: check broker.port" in check.stdout
    assert "camera: 1280x720: ok" in check.stdout
    assert "model: fer7" in check.stdout
    assert "mode: emotion: exempt: the source is simulated" in check.stdout
    assert "min_size: 24" in roommood("agent", "show-config", "--config", config).stdout

    config.write_text(f"database: sqlite:///{tmp_path}/c.sqlite\n{nobody}")
    check = roommood("collector", "check", "--config", config)
    assert check.returncode == 1, check.stderr
    assert "nothing accepts connections there: check broker.port" in check.stdout
    assert "port: 8642" in roommood("collector", "show-config", "--config", config).stdout
    config.write_text("database: mysql://x/y\n")
    assert "use sqlite or postgresql" in roommood("collector", "check", "--config", config).stderr


def test_a_defect_is_one_line_unless_a_traceback_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "click.txt").write_text("")
    package = tmp_path / "models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text("1 / 0")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['roommood', 'model']\n"
        "import models; models.__path__ = [sys.path[0] + '/models']\n"
        "from deploy.commands.cli import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 1
    assert run.stderr.startswith("roommood: internal error: ZeroDivisionError")
    assert len(run.stderr.splitlines()) == 1


def test_a_missing_extra_is_named_with_the_command_that_adds_it() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['roommood', 'x']\n"
        "from deploy.commands import cli\n"
        "cli.roommood.main = lambda **_: __import__('uvicorn')\n"
        "cli.main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 2
    assert "pip install 'roommood[collector]'" in run.stderr


def test_a_pin_is_asked_for_twice_and_printed_as_a_hash() -> None:
    result = CliRunner().invoke(agent, ["pin"], input="246810\n246810\n")
    assert result.exit_code == 0
    line = next(line for line in result.output.splitlines() if line.startswith("pin: "))
    assert Pin(line.removeprefix("pin: ")).opens("246810")


def test_a_short_pin_is_refused() -> None:
    result = CliRunner().invoke(agent, ["pin"], input="12\n12\n")
    assert isinstance(result.exception, UserError)
    assert "shorter than 6" in str(result.exception)
