"""From a finished run to a pack: the int8 file, what was chosen for it, and where it comes from."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from edge.common.errors import UserError
from edge.vision.forms import Form
from edge.vision.interpreter import TfliteClassifier
from edge.vision.pack import PACK_FILE, Input
from models.data.faces import LABELS, MARGIN, Faces
from models.data.sources import splits
from models.measure import evaluate as evaluation
from models.measure.envelope import smallest_face
from models.training.files import WEIGHTS_FILE

if TYPE_CHECKING:
    from models.training.network import MiniXception
    from models.training.runs import Settings

MODEL_FILE = "model.tflite"
FLOAT_FILE = "model-float16.tflite"
FLATTEST = 5
"""Percent of the training faces that have less contrast than a device leaves a crop with."""

LICENCE = {
    True: "weights Apache-2.0; learnt from FER2013 (Open Database License, contents DbCL) "
    "with FER+ votes (MIT)",
    False: "that of the data it was trained on",
}


@dataclass(frozen=True)
class Origin:
    """What pack.yaml says of where a network comes from."""

    labels: tuple[str, ...]
    truth: str
    network: str
    data: str
    command: str


def quantize(run: Path, out: Path) -> dict[str, Any]:
    """Writes a pack's folder and returns pack.yaml's content; raises UserError for no such run."""
    from models.training.network import MiniXception
    from models.training.runs import load_network

    network, settings = load_network(run)
    if not isinstance(network, MiniXception):
        raise UserError("a teacher is too large for a device", run, "train a student network")
    training_faces, held_out = splits(
        Path(settings.data), Path(settings.votes) if settings.votes else None, settings.seed
    )
    origin = Origin(
        labels=settings.labels,
        truth=settings.truth or "own",
        network=settings.network,
        data=_data(settings, held_out),
        command=command(settings, run, out),
    )
    return write_pack(network, out, training_faces, held_out, origin, settings.seed)


def write_pack(
    network: MiniXception,
    out: Path,
    training_faces: Faces,
    held_out: Faces,
    origin: Origin,
    seed: int = 1,
) -> dict[str, Any]:
    """A pack of a trained network: both forms, what is chosen for it, figures, float weights.

    Ranges are calibrated on `training_faces`; all choices are made on `held_out`.
    """
    from models.training.convert import CALIBRATION_FACES, to_float, to_float16, to_int8

    order = np.random.default_rng(seed).permutation(len(training_faces.pixels))
    whole = to_float(network)
    int8, float16 = (
        to_int8(whole, training_faces.pixels[order[:CALIBRATION_FACES]]),
        to_float16(whole),
    )
    usual = np.percentile(training_faces.pixels.std((1, 2)), FLATTEST)
    shape = Input(size=48, low=-1, high=1, margin=MARGIN, least_contrast=round(float(usual), 1))
    choices = measure({"int8": int8, "float16": float16}, shape, origin, held_out)
    pack = {
        "name": out.name,
        "file": MODEL_FILE,
        "sha256": hashlib.sha256(int8).hexdigest(),
        "float16": {"file": FLOAT_FILE, "sha256": hashlib.sha256(float16).hexdigest()},
        "labels": list(origin.labels),
        "input": shape.model_dump(),
        **{name: choices[name] for name in ("temperature", "threshold", "face_threshold")},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "network": origin.network,
        "truth": origin.truth,
        "data": origin.data,
        "command": origin.command,
        "licence": LICENCE[origin.labels == LABELS],
        "figures": choices["figures"],
        "confusion": choices["confusion"],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(int8)
    (out / FLOAT_FILE).write_bytes(float16)
    halves = {k: v.numpy().astype(np.float16) for k, v in network.state_dict().items()}
    np.savez_compressed(out / WEIGHTS_FILE, **halves)
    describe(out, pack)
    return pack | {"size_bytes": len(int8)}


def describe(folder: Path, pack: dict[str, Any]) -> None:
    """Writes pack.yaml."""
    text = yaml.safe_dump(pack, sort_keys=False, width=100, default_flow_style=None)
    (folder / PACK_FILE).write_text(text, encoding="utf-8")


def add_float16(folder: Path) -> None:
    """Gives a pack that has only its int8 file the other form, made of its float weights."""
    from models.training.convert import to_float, to_float16
    from models.training.saved_networks import from_pack

    float16 = to_float16(to_float(from_pack(str(folder))))
    (folder / FLOAT_FILE).write_bytes(float16)
    form = {"file": FLOAT_FILE, "sha256": hashlib.sha256(float16).hexdigest()}
    before = yaml.safe_load((folder / PACK_FILE).read_text(encoding="utf-8"))
    after: dict[str, Any] = {}
    for key, value in before.items():
        after[key] = value
        if key == "sha256":
            after["float16"] = form
    describe(folder, after)


def measure(
    forms: dict[Form, bytes], shape: Input, origin: Origin, held_out: Faces
) -> dict[str, Any]:
    """What pack.yaml says of a pack's files, chosen and counted on the faces held out."""
    labels, truth = origin.labels, origin.truth
    readers = {form: TfliteClassifier(file, shape, len(labels)) for form, file in forms.items()}
    answers = {form: evaluation.predict(one, held_out.pixels)[0] for form, one in readers.items()}
    after = answers["int8"]
    raw = evaluation.score_against(held_out, after.shares, truth)
    whole = evaluation.score_against(held_out, answers["float16"].shares, truth)
    temperature, threshold = evaluation.choose(raw)
    scores = evaluation.Scores(raw.truth, evaluation.temper(raw.shares, temperature))
    figures = evaluation.report(
        held_out, evaluation.temper(after.shares, temperature), labels, truth
    )
    rows = evaluation.has_truth(held_out, truth)
    alike = raw.shares.argmax(axis=1) == whole.shares.argmax(axis=1)
    return {
        "temperature": temperature,
        "threshold": threshold,
        "face_threshold": evaluation.choose_face_threshold(after.face[rows]),
        "figures": {
            **{name: figures[name] for name in ("accuracy", "balanced_accuracy", "ece")},
            "answered": round(float((scores.shares.max(axis=1) >= threshold).mean()), 4),
            # The other form is the faster one where these files are made, and differs by little.
            "smallest_face": smallest_face(readers["float16"], held_out, truth),
            "float_accuracy": round(whole.accuracy(), 4),
            "forms_agree": round(float(alike.mean()), 4),
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
