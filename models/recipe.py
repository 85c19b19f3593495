"""The shipped packs made again: one command that trains, by the clock, and one that finishes.

    python -m models.recipe --data ../shared/data --out build/recipe --minutes 9
    python -m models.recipe --data ../shared/data --out build/recipe --packs models/packs --finish

The first trains on a GPU where there is one: teachers from nothing, then all students at once, from
the same views of the faces and the answers of all teachers, those of `models/teachers` and of the
packs that ship among them. On a CPU there is no time for teachers from nothing; a wide network goes
on from where `models/teachers` left it, and students follow. It leaves files under 16 MiB each,
weights in half precision and curves as JSON; stopped, it goes on with the time that was left.
The second needs no GPU: int8 files, what is chosen for them, figures, cards.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

import click

from edge.common import atomic_file
from edge.common.child import python_command
from edge.common.errors import UserError
from edge.vision.pack import PACKS
from models.training.torch_extra import need_torch

TEACHERS = Path(__file__).resolve().parent / "teachers"
"""Half-precision weights of networks that know both truths; README.md there says where from."""

PHOTOS = ("photos_caltech", "photos_voc")
"""Photographs from which crops that are not faces are taken."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For what is learnt.")
@click.option("--minutes", type=click.FloatRange(0.05), help="Train for so long.")
@click.option("--finish", is_flag=True, help="Make packs of what is learnt, on a CPU.")
@click.option("--packs", type=click.Path(path_type=Path), help="With --finish: where packs go.")
@click.option("--only", multiple=True, help="Some of the students; all without it.")
@click.option(
    "--teachers",
    type=click.Path(path_type=Path),
    default=TEACHERS,
    help="Weights of networks that know both truths.",
)
@click.option("--taught-by", type=click.Path(path_type=Path), default=PACKS, help="Packs.")
@click.option(
    "--from-nothing/--from-teachers",
    default=None,
    help="Teachers from nothing first, or on from those there are; by default the first on a GPU.",
)
@click.option("--seed", type=int, default=1, show_default=True)
def main(
    data: Path,
    out: Path,
    minutes: float | None,
    finish: bool,
    packs: Path | None,
    only: tuple[str, ...],
    teachers: Path,
    taught_by: Path,
    from_nothing: bool | None,
    seed: int,
) -> None:
    """Make the shipped packs again: first --minutes N, then --finish."""
    if (minutes is None) == (not finish):
        raise UserError(
            "give one of --minutes and --finish",
            "recipe",
            "add --minutes N to train, or --finish to make packs of the result",
        )
    need_torch()
    if minutes is not None:
        from models.training.session import COMMAND, Session

        start = time.monotonic()
        negatives = _negatives(data, out)
        session = Session(data / "fer2013", out, negatives, teachers, taught_by, seed)
        atomic_file.write(out / COMMAND, _training(click.get_current_context()))
        session.run(60 * minutes - (time.monotonic() - start), only, _log, from_nothing)
        return
    if packs is None:
        raise UserError("no folder for the packs", "--finish", "add --packs FOLDER")
    from models.training.finish import finish_all

    finish_all(data, out, packs, only, _log)


def _training(context: click.Context) -> str:
    """The command again, with every option that was not left at its default."""
    words = ["python", "-m", "models.recipe"]
    for option in context.command.params:
        value = context.params.get(str(option.name))
        if value is None or value == option.get_default(context) or value == ():
            continue
        if option.name == "from_nothing":
            words.append("--from-nothing" if value else "--from-teachers")
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words += [option.opts[0], str(one)]
    return shlex.join(words)


def _log(line: str) -> None:
    click.echo(line, err=True)


def _negatives(data: Path, out: Path) -> Path:
    """The crops that are not faces, made where they are not there yet."""
    path = out / "negatives.npz"
    if not path.exists():
        photos = [f"--photos={data / folder}" for folder in PHOTOS]
        command = python_command("models.training.negatives", *photos, "--out", str(path))
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            raise UserError("failed", shlex.join(command), "see above")
    return path


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as error:
        click.echo(f"roommood: {error}", err=True)
        sys.exit(2)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except click.Abort:
        sys.exit("roommood: stopped; the same command continues from here")
