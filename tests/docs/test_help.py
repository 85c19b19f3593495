"""Every command and every option says what it does, in words that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from deploy.commands.cli import roommood

AVOID = re.compile(r"\b(told|tells?|given|kept|mend|anew|bears?|oftener|looked at)\b", re.I)
"""Words that the glossary replaces: see docs/glossary.md."""


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, f"{path} {name}")


COMMANDS = dict(_commands(roommood, "roommood"))


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_and_its_options_explain_themselves(path: str) -> None:
    command = COMMANDS[path]
    texts = {path: command.help}
    texts |= {str(p.opts): p.help for p in command.params if isinstance(p, click.Option)}
    for name, text in texts.items():
        assert text, f"{name}: no help"
        assert text.strip().endswith("."), f"{name}: {text}"
        assert not AVOID.search(text), f"{name}: {text}"


ONE_THING = ("show-config", "head", "check")
"""What prints is no list: settings, one line, what was tried."""


@pytest.mark.parametrize(
    "path",
    [
        path
        for path, command in COMMANDS.items()
        if (command.help or "").startswith("Print ") and path.split()[-1] not in ONE_THING
    ],
)
def test_every_list_is_there_for_scripts(path: str) -> None:
    options = {option for one in COMMANDS[path].params for option in one.opts}
    assert "--json" in options
