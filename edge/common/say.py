"""What commands print: nothing of it steers a terminal, or begins a line of its own.

Names of devices and rooms, titles, names of files in archives and what a broker or a server answers
are written by others.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import click

from edge.common.text import printable

NOT_JSON = re.compile(r"[\x00-\x1f\x7f]|[^\x00-\x7f]")


def say(text: object, *, err: bool = False) -> None:
    """One line, whatever is in it; tabs stay between columns."""
    click.echo(_plain(str(text)), err=err)


def say_lines(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Several, each as `say` has it."""
    click.echo("\n".join(map(_plain, text.split("\n"))), err=err, nl=nl)


def say_json(text: str) -> None:
    """One line of JSON, in which such characters are written as JSON has them."""
    click.echo(NOT_JSON.sub(_escape, text))


def _plain(line: str) -> str:
    return "\t".join(map(printable, line.split("\t")))


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character.isprintable():
        return character
    data = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))


class PlainFormatter(logging.Formatter):
    """One line for each message, and a traceback's own lines, set in, after it."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {printable(line)}" for line in lines)
