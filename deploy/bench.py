"""`roommood bench`: measures, and tries to break, the whole system on this machine."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import click


@click.group()
def bench() -> None:
    """Measure the system on this machine."""


@bench.command()
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--minutes", type=click.FloatRange(0.1, 1440), default=10, show_default=True)
@click.option("--agents", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="Keep logs and files there."
)
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def faults(seed: int, minutes: float, agents: int, state: Path | None, as_json: bool) -> int:
    """Break everything that may break, and count what was lost.

    Agents, a Mosquitto and a collector run in processes of their own. They are killed, cut off,
    filled up, frozen and damaged in turn, as the seed says. Exit status 1 where a window was lost,
    counted twice or altered, or a fault not recovered from.
    """
    from deploy.faults.run import bench as run

    if state is not None and state.exists() and any(state.iterdir()):
        raise click.UsageError(f"{state}: not empty: give a new folder with --state.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends us, all is put away
    figures = run(seed, minutes, agents, state, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:12} {value}")
    wrong = ("lost", "duplicated", "altered", "unrecovered")
    return 1 if any(figures[name] for name in wrong) or not figures["windows"] else 0
