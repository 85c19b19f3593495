"""The command of `python -m deploy.wheels`, once Python has what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from deploy.wheels import GLIBC, HERE, command, requirements
from edge.common.child import python_command
from edge.common.errors import UserError


@click.command()
@click.option("--python", type=click.Choice(list(GLIBC)), required=True)
@click.option("--machine", default="aarch64", show_default=True)
@click.option("--extra", "extras", multiple=True, default=("pi", "calendar"), show_default=True)
@click.option("--detector", type=click.Choice(["haar", "yunet"]), default="haar", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def wheels(python: str, machine: str, extras: tuple[str, ...], detector: str, out: Path) -> None:
    """Fetch all wheels of an installation into a folder, for `install-agent --wheels`.

    With `--detector yunet` its file too, for `install-agent --wheels FOLDER --detector yunet`.
    """
    name = "3.11" if python in ("3.10", "3.11") else "3.13"
    packages = requirements(list(extras), python, machine)
    options = command(python, machine, packages, HERE / f"constraints-{name}.txt")
    process = subprocess.run(
        python_command("pip", "download", "--dest", str(out), *options), check=False
    )
    if process.returncode:
        raise UserError(
            f"not every package has a wheel for Python {python} on {machine}",
            out,
            "see pip's message above; choose another --python or --extra",
        )
    if detector == "yunet":
        from models.fetch import fetched

        fetched(detector, out / "yunet.onnx")
    click.echo(f"{out}: {len(list(out.glob('*.whl')))} wheels")


def fetch() -> None:
    """Runs the command; what is wrong with its input is one line, and status 2."""
    try:
        wheels.main(prog_name="python -m deploy.wheels")
    except UserError as error:
        click.echo(f"roommood: {error}", err=True)
        sys.exit(2)
