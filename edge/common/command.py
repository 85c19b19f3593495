"""What every command that runs for long has: its settings file, a log, an end on a signal."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from pathlib import Path

import click

config_option = click.option(
    "--config", required=True, type=click.Path(path_type=Path), help="The settings, a YAML file."
)


def log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Ctrl-C and systemd's SIGTERM end the work at hand in good order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())
