"""What the documents tell people to type is understood: commands, settings, JSON."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import ValidationError

from collector.config import CollectorSettings
from deploy.commands.cli import roommood
from edge.common.errors import UserError
from edge.common.settings import Section, validate
from edge.config import AgentSettings
from tests.docs.documents import ROOT, documents, fences, inline, name

AGENT = {"site": "s", "room": "r", "state": "state"}
COLLECTOR = {"database": "sqlite:///x.sqlite"}
PLACEHOLDERS = {"[options]", "[OPTIONS]"}


def _lines(text: str) -> Iterator[str]:
    """Command lines of a shell example: continued ones joined, comments and `sudo` cut off."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        yield from re.split(r"\s+&&\s+", re.sub(r"^\$ |(^|\s)#.*$", "", line).strip())


def commands(page: Path) -> list[list[str]]:
    pieces = [line for block in fences(page, "sh") for line in _lines(block)]
    pieces += [re.sub(r"\s+", " ", piece) for piece in inline(page)]
    lines = [re.sub(r"^sudo ", "", piece.strip()) for piece in pieces]
    command = re.compile(r"(\./|deploy/install-|roommood |python -m )")
    return [shlex.split(piece) for piece in lines if command.match(piece)]


def check_click(command: click.Command, words: list[str]) -> None:
    """Raises AssertionError where the command has no such subcommand or option.

    `a|b` are alternatives; an option has to be known to one of them.
    """
    candidates = [command]
    context = click.Context(command)
    only_options = False
    for word in words:
        bare = word.strip("[],…;")
        group = candidates[0]
        if isinstance(group, click.Group) and bare and not bare.startswith("-"):
            if only_options:
                continue  # the value of an option of the group's own, as `bench` has them
            subcommands = [group.get_command(context, part) for part in bare.split("|")]
            assert None not in subcommands, f"{bare}: no subcommand of {group.name}"
            candidates = [one for one in subcommands if one is not None]
            continue
        only_options = True
        for part in bare.split("|"):
            option = part.partition("=")[0]
            if option.startswith("--") and option != "--help":
                options = {o for one in candidates for p in one.params for o in p.opts}
                assert option in options | {"--version"}, f"{option}: no option of {words}"


def check_command(words: list[str]) -> None:
    if words[0] == "roommood":
        check_click(roommood, words[1:])
        return
    if words[:2] == ["python", "-m"]:
        path = ROOT / words[2].replace(".", "/")
        file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
        assert file.is_file(), words[2]
        text = file.read_text()
    else:
        file = ROOT / words[0]
        assert file.is_file(), words[0]
        text = file.read_text()
        if '"$@"' in text and "demo" in words[0]:
            check_click(roommood, ["demo", *words[1:]])
            return
    for option in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert option in text or '"$@"' in text, f"{option}: not known to {words[0]}"


@pytest.mark.parametrize("page", documents(), ids=name)
def test_commands_are_understood(page: Path) -> None:
    for words in commands(page):
        check_command([word for word in words if word not in PLACEHOLDERS])


@pytest.mark.parametrize(
    "line",
    [
        "roommood agent walk",
        "roommood agent run|walk --config FILE",
        "roommood demo --sauce usb:0",
        "./deploy/demo.sh --sauce usb:0",
        "./deploy/install-agent --sauce usb:0",
        "./deploy/install-nobody",
        "python -m models.recipe --sauce 1",
    ],
)
def test_an_example_that_is_wrong_would_show(line: str) -> None:
    with pytest.raises(AssertionError):
        check_command(shlex.split(line))


def _valid(kind: type[Section], content: dict[str, Any]) -> str | None:
    """Why these are no settings of that kind, or None. Files they name need not be there."""
    try:
        validate(kind, content, Path("example.yaml"))
    except (UserError, ValidationError) as error:
        return str(error)
    return None


def check_settings(content: dict[str, Any]) -> None:
    agent = _valid(AgentSettings, {**AGENT, **content})
    collector = _valid(CollectorSettings, {**COLLECTOR, **content})
    assert agent is None or collector is None, (content, agent, collector)


@pytest.mark.parametrize("page", documents(), ids=name)
def test_settings_in_documents_are_valid(page: Path) -> None:
    for block in fences(page, "yaml"):
        check_settings(yaml.safe_load(block))
    for piece in inline(page):
        key = re.match(r"(\w+): [\[{].*[\]}]$", piece, re.DOTALL)
        if key and key[1] in AgentSettings.model_fields | CollectorSettings.model_fields:
            check_settings(yaml.safe_load(piece))


@pytest.mark.parametrize(
    ("file", "kind"), [("agent.yaml", AgentSettings), ("collector.yaml", CollectorSettings)]
)
def test_every_line_of_the_examples_is_valid_when_it_is_switched_on(
    file: str, kind: type[Section]
) -> None:
    text = (ROOT / "deploy" / "examples" / file).read_text()
    plain = yaml.safe_load(text)
    text = re.sub(r"^# pin: .*\n", "", text, flags=re.MULTILINE)  # a hash has no example
    blocks = re.findall(r"^# ?(\w+:(?:[ {][^\n]*)?\n(?:#  +[^\n]*\n)*)", text, re.MULTILINE)
    sections = [yaml.safe_load(re.sub(r"^# ?", "", block, flags=re.M)) for block in blocks]
    options = [one for one in sections if one and set(one) <= set(kind.model_fields)]
    assert len(options) >= 4
    for option in [{}, *options]:
        base = {k: v for k, v in plain.items() if k not in option}
        if "enrolled" in option:
            continue  # in place of others: tests/edge/device
        assert _valid(kind, {**base, **option}) is None, option


@pytest.mark.parametrize("page", documents(), ids=name)
def test_json_in_documents_is_json(page: Path) -> None:
    pieces = [piece for piece in inline(page) if re.match(r'\{\s*"', piece)]
    for piece in pieces + fences(page, "json"):
        example = re.sub(r"…", '"x"', piece)
        json.loads(re.sub(r'"(\w+)"(?=\s*[,}])', r'"\1"', example))


def test_the_documents_have_commands_to_check() -> None:
    assert sum(len(commands(page)) for page in documents()) > 60
