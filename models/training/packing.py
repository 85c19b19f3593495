"""From a finished run to a pack: the int8 file, what was chosen for it, and where it comes from."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from edge.common.errors import Refusal
from edge.vision.emotion import tempered
from edge.vision.interpreter import TfliteClassifier
from edge.vision.pack import PACK_FILE, Input
from models.data.faces import LABELS, MARGIN, Faces
from models.data.sources import splits
from models.measure import evaluate as evaluation
from models.measure.envelope import smallest_face

if TYPE_CHECKING:
    from models.training.runs import Settings

MODEL_FILE = "model.tflite"
WEIGHTS_FILE = "weights.npz"
"""The float weights, for `explain` and `train --start`; no device reads them."""

FLATTEST = 5
"""Percent of the training faces that have less contrast than a device leaves a crop with."""

LICENCE = {
    True: "weights Apache-2.0; learnt from FER2013 (Open Database License, contents DbCL) "
    "with FER+ votes (MIT)",
    False: "that of the data it was trained on",
}


def quantize(run: Path, out: Path) -> dict[str, Any]:
    """Writes the pack's folder and returns what pack.yaml says; raises Refusal for no such run."""
    from models.training.convert import CALIBRATION_FACES, to_float, to_int8
    from models.training.network import MiniXception
    from models.training.runs import load_network

    network, settings = load_network(run)
    if not isinstance(network, MiniXception):
        raise Refusal(f"{run}: a teacher is too large for a device: train a network that learns")
    truth = settings.truth or "own"
    trained, held_out = splits(
        Path(settings.data), Path(settings.votes) if settings.votes else None, settings.seed
    )
    order = np.random.default_rng(settings.seed).permutation(len(trained.pixels))
    whole = to_float(network)
    int8 = to_int8(whole, trained.pixels[order[:CALIBRATION_FACES]])
    usual = np.percentile(trained.pixels.std((1, 2)), FLATTEST)
    shape = Input(size=48, low=-1, high=1, margin=MARGIN, least_contrast=round(float(usual), 1))
    labels = settings.labels

    before, _ = evaluation.predict(TfliteClassifier(whole, shape, len(labels)), held_out.pixels)
    as_float = evaluation.scored(held_out, before.shares, truth).accuracy()
    chosen = measured(int8, shape, labels, held_out, truth)
    pack = {
        "name": out.name,
        "file": MODEL_FILE,
        "sha256": hashlib.sha256(int8).hexdigest(),
        "labels": list(labels),
        "input": shape.model_dump(),
        **{name: chosen[name] for name in ("temperature", "threshold", "face_threshold")},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "network": settings.network,
        "truth": truth,
        "data": _data(settings, held_out),
        "command": command(settings, run, out),
        "licence": LICENCE[labels == LABELS],
        "figures": chosen["figures"] | {"float_accuracy": round(as_float, 4)},
        "confusion": chosen["confusion"],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(int8)
    halves = {k: v.numpy().astype(np.float16) for k, v in network.state_dict().items()}
    np.savez_compressed(out / WEIGHTS_FILE, **halves)
    text = yaml.safe_dump(pack, sort_keys=False, width=100, default_flow_style=None)
    (out / PACK_FILE).write_text(text, encoding="utf-8")
    return pack | {"size_bytes": len(int8)}


def measured(
    int8: bytes, shape: Input, labels: tuple[str, ...], held_out: Faces, truth: str
) -> dict[str, Any]:
    """What pack.yaml says of a file, chosen and counted on the faces held out."""
    reader = TfliteClassifier(int8, shape, len(labels))
    after, _ = evaluation.predict(reader, held_out.pixels)
    raw = evaluation.scored(held_out, after.shares, truth)
    temperature, threshold = evaluation.choose(raw)
    scores = evaluation.Scores(raw.truth, tempered(raw.shares, temperature))
    figures = evaluation.report(held_out, tempered(after.shares, temperature), labels, truth)
    known = evaluation.known(held_out, truth)
    return {
        "temperature": temperature,
        "threshold": threshold,
        "face_threshold": evaluation.choose_face_threshold(after.face[known]),
        "figures": {
            **{name: figures[name] for name in ("accuracy", "balanced_accuracy", "ece")},
            "answered": round(float((scores.shares.max(axis=1) >= threshold).mean()), 4),
            "smallest_face": smallest_face(reader, held_out, truth),
        },
        "confusion": scores.confusion(threshold).tolist(),
    }


def _data(settings: Settings, held_out: Faces) -> str:
    if held_out.labels == LABELS and settings.truth != "own":
        return "FER2013 train; epoch, temperature and thresholds chosen on public_test"
    return (
        f"{Path(settings.data).name}; epoch, temperature and thresholds chosen on a part held out"
    )


def command(settings: Settings, run: Path, out: Path) -> str:
    """The commands that make this pack again, but for its teachers'."""
    return f"{_training(settings, run)} && roommood model quantize --run {run} --out {out}"


def _training(settings: Settings, run: Path) -> str:
    """The command of a run, after that of the run it began with."""
    from models.training.runs import SETTINGS, read_settings
    from models.training.runs import Settings as Kind

    options = [f"--data {shlex.quote(settings.data)}"]
    for setting in fields(Kind):
        value = getattr(settings, setting.name)
        if setting.name in ("data", "labels", "fold") or value == setting.default:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            options.append(f"--{setting.name} {shlex.quote(str(one))}")
    first = settings.start and Path(settings.start)
    before = ""
    if first and (first / SETTINGS).exists():
        before = f"{_training(read_settings(first), first)} && "
    return f"{before}roommood model train {' '.join(options)} --out {run}"
