"""What every command that runs for long has: its settings file, a log, an end on a signal."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from edge.common.calendar_event import IgnoredEvent
from edge.common.calendar_sources import Check, WebSource
from edge.common.say import PlainFormatter, say, say_json

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config", required=True, type=click.Path(path_type=Path), help="Settings file (YAML)."
)

json_lines = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


def log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for chatty in ("httpx", "httpcore"):  # they log addresses, which are secrets of webhooks
        logging.getLogger(chatty).setLevel(logging.WARNING)


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Ctrl-C and systemd's SIGTERM end the work at hand in good order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())


def plan_options(command: F) -> F:
    """`--date D --days N --json`, of the commands that print what will happen."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            "--days",
            type=click.IntRange(1, 366),
            default=7,
            show_default=True,
            help="How many days.",
        ),
        click.option(
            "--date",
            "first",
            type=click.DateTime(["%Y-%m-%d"]),
            help="First day; today by default.",
        ),
    ):
        command = option(command)
    return command


def warn_of_calendars(sources: Iterable[tuple[WebSource, Check]]) -> None:
    """Fetches them, and says on stderr which one could not be."""
    for one, check in sources:
        problem, sentence = one.look(check)
        if problem is not None:
            say(f"roommood: {sentence}", err=True)


def days_from(first: datetime | None, days: int) -> list[date]:
    """The days that `plan_options` ask for."""
    begin = first.date() if first else date.today()
    return [begin + timedelta(days=number) for number in range(days)]


def echo_plan(
    name: str,
    entries: Iterable[dict[str, Any]],
    ignored_events: Iterable[IgnoredEvent],
    as_json: bool,
    none: str,
) -> None:
    """What will happen, or `none`, and what was left out and why; each once, in its order."""
    unique = list({json.dumps(entry): entry for entry in entries}.values())
    left_out = list(dict.fromkeys(ignored_events))
    if as_json:
        omissions = [{"event": one.event, "why": one.why} for one in left_out]
        say_json(json.dumps({name: unique, "ignored": omissions}, ensure_ascii=False))
        return
    for entry in unique:
        start, end = (datetime.fromisoformat(entry[key]) for key in ("start", "end"))
        others = (value for key, value in entry.items() if key not in ("start", "end"))
        rest = " ".join(str(value) for value in others if value is not None)
        say(f"{start:%a %Y-%m-%d %H:%M} to {end:%H:%M}  {rest}".rstrip())
    for one in left_out:
        say(f"ignored: {one.event}: {one.why}")
    if not unique:
        say(none)
