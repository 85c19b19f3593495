"""Every option and argument of every command that names a file or folder to read: one that is not
there is an error that names it, and what to do; never taken for 'all is well'."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from deploy.commands.cli import roommood
from deploy.commands.site_key import PRIVATE, PUBLIC, make_key
from edge.common.errors import UserError
from tests.conftest import ROOT

OPTION_FILES = {
    *(("bench", option) for option in ("--keep", "--write")),
    ("bench faults", "--state"),
    ("collector backup", "--out"),
    ("collector evidence", "--out"),
    ("demo", "--state"),
    *(("device addresses", option) for option in ("--note",)),
    ("device enrol", "--state"),
    ("device invite", "--out"),
    *(("site init", option) for option in ("--broker-data", "--broker-log", "--config")),
    *(("site init", option) for option in ("--folder", "--state")),
    *((f"site {name}", "--out") for name in ("attest", "bundle", "key")),
    *((f"model {name}", "--out") for name in ("evaluate", "explain", "fetch", "quantize")),
    *((f"model {name}", "--out") for name in ("compare", "train", "variants")),
}
"""What a command makes where it is not there; all else is read."""

NEED_TORCH = {"model compare", "model explain", "model quantize", "model train", "model variants"}

VALUES = {
    "--answers": str(ROOT / "deploy/examples/attestation.yaml"),
    "--config": "settings.yaml",
    "--data": "faces",
    "--from": "settings.yaml",
    "--key": PRIVATE,
    "--model": "fer7",
    "--number": "1",
    "--role": "it",
    "--room": "school/r1",
    "--since": "2026-03-02T08:15:00Z",
    "bundle": "settings.yaml",
    "changes": "camera=usb:1",
    "file": PUBLIC,
}
"""Valid ones of what else a command asks for."""

BESIDE = {
    "collector erase": ["--room", "school/r1"],
    "device approve": ["--all"],
    "site bundle": ["--settings", "update.yaml"],
}
"""What a command asks for though no single option is required."""


class Case(NamedTuple):
    command: str
    parameter: click.Parameter
    others: list[click.Parameter]

    def __str__(self) -> str:
        return f"{self.command} {self.parameter.opts[0]}"


def cases() -> Iterator[Case]:
    for name, command in commands(roommood, ()):
        for one in command.params:
            if isinstance(one.type, click.Path) and (name, one.opts[0]) not in OPTION_FILES:
                others = [other for other in command.params if other.required and other is not one]
                yield Case(name, one, others)


def commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """All that can be called, by the words that call them."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        yield " ".join((*path, word)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, word))


def words(parameter: click.Parameter, value: str) -> list[str]:
    return [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]


@pytest.mark.parametrize("case", [c for c in cases() if c.command not in NEED_TORCH], ids=str)
def test_a_file_that_is_not_there(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"site": "school", "room": "r1"} if case.command.startswith("agent") else {}
    Path("settings.yaml").write_text(yaml.safe_dump(settings | {"state": str(tmp_path / "state")}))
    Path("update.yaml").write_text("log_level: debug\n")
    make_key(tmp_path)
    Path("faces/happy").mkdir(parents=True)
    cv2.imwrite("faces/happy/a.png", np.zeros((48, 48), np.uint8))
    arguments = [*case.command.split(), *BESIDE.get(case.command, [])]
    for other in case.others:
        name = other.name if isinstance(other, click.Argument) else other.opts[0]
        arguments += words(other, VALUES.get(name or "", "x"))
    arguments += words(case.parameter, "missing")
    result = CliRunner().invoke(roommood, arguments, standalone_mode=False)
    error = result.exception
    assert isinstance(error, (UserError, click.UsageError)), (result.output, error)
    assert "missing" in str(error)
    assert not isinstance(error, UserError) or error.remedy
