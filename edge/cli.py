"""`roommood agent`: run, check, show-config."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from edge.config import AgentSettings
from edge.errors import CameraFault, Refusal
from edge.settings import load, show

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


@click.group()
def agent() -> None:
    """The agent in the room."""


@agent.command()
@config_option
def run(config: Path) -> None:
    """Watch the room and publish its counts, until stopped."""
    settings = load(AgentSettings, config)
    log_to_stderr(settings.log_level)
    from edge.agent import Agent

    made = Agent(settings)
    stop_on_signals(made.stop)
    made.run()


@agent.command()
@config_option
def check(config: Path) -> None:
    """Try the settings, the model pack and the camera, and say what is wrong."""
    settings = load(AgentSettings, config)
    from edge.camera import make
    from edge.interpreter import TfliteClassifier
    from edge.mode import decide
    from edge.pack import open_pack

    pack, model = open_pack(settings.model)
    classifier = TfliteClassifier(model, pack.input, len(pack.labels))
    camera = make(settings.camera)
    try:
        camera.open()
        height, width = camera.read().shape
    except CameraFault as fault:
        raise Refusal(str(fault)) from None
    finally:
        camera.close()
    click.echo(f"settings: {config}: ok")
    click.echo(f"model: {pack.name} ({pack.digest}) on {classifier.runtime}: ok")
    click.echo(f"camera: {width}x{height}: ok")
    mode = decide(settings, date.today())
    click.echo(f"mode: {mode.name}: {mode.sentence}")


@agent.command("show-config")
@config_option
def show_config(config: Path) -> None:
    """Print the settings in force, defaults included, secrets masked."""
    click.echo(show(load(AgentSettings, config)), nl=False)
