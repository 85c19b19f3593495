"""`roommood model`: train, variants, quantize, evaluate, compare, explain, card, verify, fetch."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import click
import numpy as np

from edge.common.command_group import CommandGroup
from edge.common.errors import UserError
from edge.vision.forms import FORMS, open_form
from edge.vision.interpreter import TfliteClassifier
from edge.vision.pack import open_pack
from models.fetch import fetch

path_option = click.Path(path_type=Path)


ELSEWHERE = {
    "card": "models.measure.scoring",
    "compare": "models.training.compare",
    "evaluate": "models.measure.scoring",
    "variants": "models.training.compare",
}
"""Commands by the module that has them, which no installation has."""

FROM_A_CHECKOUT = {*ELSEWHERE, "explain", "quantize", "train"}


class ModelGroup(CommandGroup):
    """Where it is installed `fetch` and `verify` alone, without the packages of the others."""

    def list_commands(self, context: click.Context) -> list[str]:
        names = {*super().list_commands(context), *ELSEWHERE}
        whole = importlib.util.find_spec("models.training") is not None
        return sorted(names if whole else names - FROM_A_CHECKOUT)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in ELSEWHERE:
            return super().get_command(context, name)
        command: click.Command = getattr(importlib.import_module(ELSEWHERE[name]), name)
        return command


@click.group(cls=ModelGroup)
def model() -> None:
    """Train, quantize, evaluate and explain model packs."""


model.add_command(fetch)


@model.command()
@click.option(
    "--data",
    required=True,
    help="A folder with train.npz and public_test.npz, a fer2013.csv, or a folder per class.",
)
@click.option(
    "--out",
    required=True,
    type=path_option,
    help="Folder for the run; an unfinished run in it is continued.",
)
@click.option(
    "--truth",
    type=click.Choice(["ferplus", "fer2013", "own", "both"]),
    help="Labels to learn: FER+'s votes (the default if there are any), "
    "FER2013's labels, the folder's own, or, for a teacher, both of "
    "the first two.",
)
@click.option(
    "--network",
    type=click.Choice(["standard", "small", "wide", "teacher", "teacher-fine"]),
    default="standard",
    show_default=True,
    help="Architecture to train.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1000),
    default=40,
    show_default=True,
    help="Passes over the training faces.",
)
@click.option(
    "--batch", type=click.IntRange(8, 4096), default=128, show_default=True, help="Faces per step."
)
@click.option("--rate", type=float, default=4e-3, show_default=True, help="Highest learning rate.")
@click.option(
    "--mixup",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="How strongly to blend faces in pairs.",
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="How strongly to shift, dim, blur and cover faces, as in a room.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of everything random.")
@click.option("--votes", help="FER+'s fer2013new.csv, for a .csv; found automatically beside it.")
@click.option(
    "--negatives",
    help="An .npz from `python -m models.training.negatives`: crops that are not faces.",
)
@click.option(
    "--teacher",
    multiple=True,
    help="Run or pack whose answers to learn as well; repeatable.",
)
@click.option(
    "--trust",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Weight of the teachers' answers; the rest is people's.",
)
@click.option("--start", help="Run or pack whose weights to start from.")
@click.option("--groups", help="Table of groups of people, so that each counts equally.")
@click.option("--folds", type=click.IntRange(2, 50), help="Cross-validate: one run per fold.")
def train(data: str, out: Path, folds: int | None, **options: Any) -> None:
    """Train a network; an interrupted run continues where it stopped."""
    from models.training.torch_extra import need_torch

    need_torch()
    from models.training.runs import Settings
    from models.training.train import cross_validate
    from models.training.train import train as run

    settings = Settings(data=data, **options)

    def log(line: str) -> None:
        click.echo(line, err=True)

    if folds:
        from models.measure.evaluate import fold_table

        click.echo("\n".join(fold_table(cross_validate(out, settings, folds, log))))
        click.echo(f"{folds} folds; runs in {out}")
        return
    best = run(out, settings, log)
    click.echo(f"{best:.4f} of the faces held out; weights and curve.png in {out}")


@model.command()
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=path_option,
    help="Folder that `roommood model train` wrote.",
)
@click.option(
    "--out", required=True, type=path_option, help="The pack's folder, created or replaced."
)
def quantize(run_folder: Path, out: Path) -> None:
    """Make an int8 model pack from a training run, with its temperature and thresholds."""
    from models.training.torch_extra import need_torch

    need_torch()
    from models.training.packing import quantize as pack

    info = pack(run_folder, out)
    figures = info["figures"]
    click.echo(
        f"{out}: {info['size_bytes']} bytes, accuracy {figures['accuracy']} of the faces held out "
        f"({figures['float_accuracy']} as float32)"
    )


@model.command()
@click.option("--model", "which", required=True, help="A pack's name or folder.")
@click.option(
    "--data", required=True, type=path_option, help="A picture, or faces as `evaluate` reads them."
)
@click.option("--usage", help="The rows of a .csv: Training, PublicTest or PrivateTest.")
@click.option("--out", required=True, type=path_option, help="The .png to write.")
@click.option(
    "--samples", type=click.IntRange(1, 20), default=3, help="How many faces to draw per class."
)
def explain(which: str, data: Path, usage: str | None, out: Path, samples: int) -> None:
    """Draw which parts of a face an answer is based on: class activation and guided gradients."""
    from models.training.torch_extra import need_torch

    need_torch()
    from models.training.explain import draw

    count = draw(which, data, usage, out, samples)
    click.echo(f"{out}: {count} faces")


@model.command()
@click.argument("pack")
def verify(pack: str) -> None:
    """Check that a pack's file, labels and shape match its description."""
    for form in FORMS if open_pack(pack)[0].float16 else FORMS[:1]:
        info, content, _ = open_form(pack, form)
        classifier = TfliteClassifier(content, info.input, len(info.labels))
        answers = classifier(np.full((1, 48, 48), 128, np.uint8))
        if abs(float(answers.shares.sum()) - 1) > 0.05:
            raise UserError(f"its outputs sum to {answers.shares.sum():.2f}", pack, "copy it again")
        click.echo(
            f"{info.name} ({info.digest}): {form}, {len(info.labels)} labels on "
            f"{classifier.runtime}: ok"
        )
