"""`roommood collector`: run, check, show-config."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from collector.config import CollectorSettings
from edge.cli import config_option, log_to_stderr, stop_on_signals
from edge.settings import load, show


@click.group()
def collector() -> None:
    """The service that keeps the counts and shows them."""


@collector.command()
@config_option
def run(config: Path) -> None:
    """Store what the rooms publish and serve the pages, until stopped."""
    settings = load(CollectorSettings, config)
    log_to_stderr(settings.log_level)
    from collector.service import Service

    service = Service(settings)
    stopping = threading.Event()
    stop_on_signals(stopping.set)
    service.start()
    click.echo(f"roommood: pages at {service.url}", err=True)
    stopping.wait()
    service.stop()


@collector.command()
@config_option
def check(config: Path) -> None:
    """Try the settings and the database, and say what is wrong."""
    settings = load(CollectorSettings, config)
    from collector.store import Store

    store = Store(settings.database)
    store.ping()
    store.close()
    click.echo(f"settings: {config}: ok")
    click.echo("database: ok")


@collector.command("show-config")
@config_option
def show_config(config: Path) -> None:
    """Print the settings in force, defaults included, secrets masked."""
    click.echo(show(load(CollectorSettings, config)), nl=False)
