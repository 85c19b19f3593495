"""`roommood model`: train, quantize, evaluate, verify."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from edge.emotion import tempered
from edge.errors import Refusal
from edge.interpreter import TfliteClassifier
from edge.pack import PACK_FILE, Input, Pack, open_pack
from models import evaluate as evaluation
from models.data import LABELS, load

MARGIN = 0.05
"""How far crops reach past Haar's boxes, so that they frame a face as FER2013's crops do:
measured by `python -m models.geometry`, on training faces and photographs."""

LICENCE = (
    "weights Apache-2.0; learnt from FER2013 (Open Database License, contents DbCL) "
    "with FER+ votes (MIT)"
)

path_option = click.Path(path_type=Path)


@click.group()
def model() -> None:
    """Train, quantize and evaluate model packs."""


@model.command()
@click.option("--data", required=True, type=path_option, help="Folder of train and public_test.")
@click.option("--out", required=True, type=path_option, help="The run's folder; resumed if begun.")
@click.option("--truth", type=click.Choice(["ferplus", "fer2013"]), default="ferplus")
@click.option("--epochs", type=click.IntRange(1, 1000), default=60, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def train(data: Path, out: Path, truth: str, epochs: int, seed: int) -> None:
    """Train mini-Xception; a run that was stopped goes on where it was."""
    from models.train import Settings
    from models.train import train as run

    settings = Settings(data=str(data), truth=truth, epochs=epochs, seed=seed)
    best = run(out, settings, lambda line: click.echo(line, err=True))
    click.echo(f"{best:.4f} of public_test; weights in {out}")


@model.command()
@click.option("--run", "run_folder", required=True, type=path_option, help="A folder of `train`.")
@click.option("--out", required=True, type=path_option, help="The pack's folder, made or replaced.")
def quantize(run_folder: Path, out: Path) -> None:
    """Make a full-integer int8 pack of a run, with its temperature and threshold."""
    import torch

    from models.convert import CALIBRATION_FACES, to_float, to_int8
    from models.network import MiniXception
    from models.train import SETTINGS, WEIGHTS

    try:
        settings = json.loads((run_folder / SETTINGS).read_text(encoding="utf-8"))
        weights = torch.load(run_folder / WEIGHTS, weights_only=True, map_location="cpu")
    except OSError:
        raise Refusal(
            f"{run_folder}: holds no finished epoch: run `roommood model train`"
        ) from None
    network = MiniXception(len(LABELS))
    network.load_state_dict(weights)
    source = Path(settings["data"])
    seen = load(source / "train.npz").pixels
    chosen = np.random.default_rng(settings["seed"]).permutation(len(seen))[:CALIBRATION_FACES]
    int8 = to_int8(to_float(network), seen[chosen])

    shape = Input(size=48, low=-1, high=1, margin=MARGIN)
    held_out = load(source / "public_test.npz")
    shares, _ = evaluation.predict(TfliteClassifier(int8, shape, len(LABELS)), held_out.pixels)
    scores = evaluation.scored(held_out, shares, settings["truth"])
    temperature, threshold = evaluation.choose(scores)
    shares = tempered(shares, temperature)
    figures = evaluation.report(held_out, shares, LABELS, settings["truth"])
    pack = {
        "name": out.name,
        "file": "model.tflite",
        "sha256": hashlib.sha256(int8).hexdigest(),
        "labels": list(LABELS),
        "input": shape.model_dump(),
        "temperature": temperature,
        "threshold": threshold,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "truth": settings["truth"],
        "data": "FER2013 train, chosen on public_test",
        "command": _command(settings, run_folder, out),
        "licence": LICENCE,
        "figures": {key: figures[key] for key in ("accuracy", "balanced_accuracy", "ece")}
        | {"answered": round(float((shares.max(axis=1) >= threshold).mean()), 4)},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.tflite").write_bytes(int8)
    text = yaml.safe_dump(pack, sort_keys=False, width=100)
    (out / PACK_FILE).write_text(text, encoding="utf-8")
    click.echo(f"{out}: {len(int8)} bytes, accuracy {figures['accuracy']} on public_test")


def _command(settings: dict[str, Any], run_folder: Path, out: Path) -> str:
    options = [
        f"--{key} {shlex.quote(str(settings[key]))}" for key in ("data", "truth", "epochs", "seed")
    ]
    return (
        f"roommood model train {' '.join(options)} --out {run_folder}"
        f" && roommood model quantize --run {run_folder} --out {out}"
    )


@model.command()
@click.option("--model", "which", required=True, help="A pack's name or folder, or a .tflite file.")
@click.option(
    "--data",
    required=True,
    type=path_option,
    help="An .npz, a fer2013.csv, or a folder of classes.",
)
@click.option("--usage", help="The rows of a .csv: Training, PublicTest or PrivateTest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def evaluate(which: str, data: Path, usage: str | None, as_json: bool) -> None:
    """Score the file that ships, through the interpreter that devices use."""
    faces = load(data, usage)
    pack, content = _pack_or_file(which)
    labels = pack.labels if pack else LABELS
    if labels != LABELS:
        raise Refusal(f"{which}: its labels are not those of {data}: give data with its labels")
    shape = pack.input if pack else Input(size=48, low=-1, high=1, margin=MARGIN)
    classifier = TfliteClassifier(content, shape, len(labels))
    shares, per_face = evaluation.predict(classifier, faces.pixels)
    shares = tempered(shares, pack.temperature if pack else 1.0)
    truth = pack.truth if pack else "ferplus" if faces.votes is not None else "fer2013"
    figures = evaluation.report(faces, shares, labels, truth) | {
        "size_bytes": len(content),
        "parameters": pack.parameters if pack else None,
        "runtime": classifier.runtime,
        "us_per_face": round(per_face, 1),
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    for key, value in figures.items():
        if key not in ("confusion", "labels"):
            click.echo(f"{key:>20}: {value}")
    click.echo(
        "\n" + " " * 10 + "".join(f"{label:>10}" for label in labels) + "   <- the model says"
    )
    for label, row in zip(labels, figures["confusion"], strict=True):
        click.echo(f"{label:>10}" + "".join(f"{count:>10}" for count in row))


def _pack_or_file(which: str) -> tuple[Pack | None, bytes]:
    if not which.endswith(".tflite"):
        return open_pack(which)
    try:
        return None, Path(which).read_bytes()
    except OSError as error:
        raise Refusal(f"{which}: cannot be read ({error.strerror}): give a .tflite file") from None


@model.command()
@click.argument("pack")
def verify(pack: str) -> None:
    """Refuse a pack whose file, labels or shape do not match what it says."""
    opened, content = open_pack(pack)
    classifier = TfliteClassifier(content, opened.input, len(opened.labels))
    sum_of_shares = float(classifier(np.full((1, 48, 48), 128, np.uint8)).sum())
    if abs(sum_of_shares - 1) > 0.05:
        raise Refusal(f"{pack}: its outputs sum to {sum_of_shares:.2f}, not 1: copy the pack again")
    click.echo(
        f"{opened.name} ({opened.digest}): {len(opened.labels)} labels on {classifier.runtime}: ok"
    )
