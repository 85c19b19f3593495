"""Every command that an error, a page or an installer names exists as it is written."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from edge.config import AgentSettings
from tests.docs.documents import ROOT
from tests.docs.test_examples import check_command, check_settings

OURS = re.compile(
    r"(?:sudo )?((?:roommood|deploy/install-\w+|install-agent|install-collector|python -m)\b.*)"
)
SYSTEM = {
    "systemctl": {"status", "restart", "start", "stop", "edit", "enable"},
    "timedatectl": {"set-ntp", "timesync-status", "show"},
    "apt-get": {"install"},
    "journalctl": set(),
    "date": set(),
    "chmod": set(),
    "chown": set(),
}
"""What may be named of Debian's own, by subcommand; an empty set: any words."""
UNITS = {path.name for path in (ROOT / "systemd").iterdir()}
PACKAGES = ("edge", "collector", "deploy", "models")


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every string of a program but docstrings; what is filled in is X."""
    nodes = list(ast.walk(tree))
    passed_over = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(value) for value in node.values}
            yield "".join(
                str(value.value) if isinstance(value, ast.Constant) else "X"
                for value in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in passed_over
        ):
            yield node.value


def _strings(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for value in content.values():
            yield from _strings(value)
    elif isinstance(content, str):
        yield content


@cache
def texts() -> list[tuple[str, str]]:
    """Where, and what is said there; every worker collects, one of them asks for it."""
    return list(_read_texts())


def _read_texts() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            where = str(path.relative_to(ROOT))
            for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
                yield where, text
    pages = [*(ROOT / "collector/locales").glob("*.yaml"), ROOT / "edge/kiosk/strings.yaml"]
    for path in sorted(pages):
        for text in _strings(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(ROOT)), text
    for name in ("install.sh", "environment.sh", "install-agent", "install-collector"):
        text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        for line in re.findall(r'(?:say|refuse) "([^"]*)"', text):
            yield name, line.replace("$part", "agent")


def commands_in(text: str) -> list[str]:
    """The commands in a text: between backticks or apostrophes."""
    pieces = re.findall(r"`([^`]+)`", text) + re.findall(r"'((?:sudo )?roommood [^']+)'", text)
    programs = "|".join(SYSTEM)
    command = re.compile(rf"(sudo )?({programs}|roommood|deploy/install-|install-|python -m )\b")
    return [piece for piece in pieces if command.match(piece)]


def check(command: str) -> None:
    """Raises AssertionError for one that would be refused."""
    words = shlex.split(re.sub(r"^sudo ", "", command.replace("…", "")))
    if words[0] in ("install-agent", "install-collector"):
        words[0] = f"deploy/{words[0]}"
    if words[0] not in SYSTEM:
        check_command([word for word in words if word != "[OPTIONS]"])
        return
    subcommands, rest = SYSTEM[words[0]], words[1:]
    assert not subcommands or rest[0] in subcommands, command
    if words[0] == "systemctl":
        for unit in rest[1:]:
            name = unit if "." in unit else f"{unit}.service"
            assert name in UNITS or name == "X.service", command


def fault(command: str) -> str | None:
    """What is wrong with a command."""
    try:
        check(command)
    except Exception as error:  # told of below, whatever it is
        return f"{type(error).__name__}: {error}"
    return None


def test_named_commands_exist() -> None:
    """All of them, and each that does not is listed."""
    commands = {(command, where) for where, text in texts() for command in commands_in(text)}
    assert len({command for command, _ in commands}) > 30
    faults = {named: fault(named[0]) for named in sorted(commands)}
    assert {named: what for named, what in faults.items() if what} == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "roommood agent mend",
        "sudo roommood device enrol --kode X",
        "timedatectl set-time",
        "systemctl status roommood-agnt",
    ],
)
def test_a_command_that_does_not_exist_would_show(wrong: str) -> None:
    with pytest.raises(AssertionError):
        check(wrong)


def test_remedies_name_commands_whole() -> None:
    """Not "enrol the device again", which is no command, where one may be meant."""
    vague = re.compile(r"(?i)\b(enrol (the device |it )?again|renew it)$")
    assert [(where, text) for where, text in texts() if vague.search(text)] == []


def examples() -> Iterator[tuple[str, str]]:
    """What pages show to be copied."""
    for path in sorted((ROOT / "collector" / "templates").glob("*.html")):
        for text in re.findall(r"(?s)<pre\b[^>]*>(.*?)</pre>", path.read_text(encoding="utf-8")):
            yield path.name, re.sub(r"{{.*?}}", "8883", text)


@pytest.mark.parametrize(("page", "example"), list(examples()))
def test_what_a_page_shows_to_be_copied_works(page: str, example: str) -> None:
    if OURS.match(example):
        check(example)
        return
    content = yaml.safe_load(example)
    assert isinstance(content, dict), example
    check_settings(content)
    if "room" in content:  # an agent's, complete: nothing may be missing
        AgentSettings.model_validate(content)
