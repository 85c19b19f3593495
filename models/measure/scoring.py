"""`roommood model evaluate` and `card`: everything that is said about a pack, and where from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision.forms import Form, fast_form, open_form
from edge.vision.interpreter import Answers, TfliteClassifier
from edge.vision.operating_point import PointName, plain
from edge.vision.pack import SHIPPED, Input, Pack, open_pack
from models.data.faces import LABELS, MARGIN, Faces
from models.data.sources import load
from models.measure import evaluate as evaluation
from models.measure.groups import Groups, by_group
from models.measure.intervals import bootstrap

path_option = click.Path(path_type=Path)
QUIET = ("confusion", "labels", "per_label", "reliability", "intervals", "groups", "folds")


class Candidate:
    """A pack, or a bare .tflite file, with the interpreter of this machine.

    `form` is the pack's file that is asked; by default the one that an agent on this machine runs.
    """

    def __init__(self, which: str, form: Form | None = None, point: PointName = "room") -> None:
        self.which = which
        self.content: bytes
        self.form: str
        if which.endswith(".tflite"):
            self.pack: Pack | None = None
            self.content, self.form = _bytes(which), ""
            self.size_bytes = len(self.content)
        else:
            pack, self.content, self.form = open_form(which, form)
            self.pack = pack
            self.size_bytes = len(open_pack(which)[1])  # of the file whose digest is published
        self.labels = self.pack.labels if self.pack else LABELS
        shape = self.pack.input if self.pack else Input(size=48, low=-1, high=1, margin=MARGIN)
        self.classifier = TfliteClassifier(self.content, shape, len(self.labels))
        self.point = self.pack.point(point) if self.pack else plain(len(self.labels), 1, 0)

    def truth(self, faces: Faces) -> str:
        """The pack's truth as far as these faces carry it."""
        wanted = self.pack.truth if self.pack else "ferplus"
        return wanted if wanted != "ferplus" or faces.votes is not None else "fer2013"

    def answers(self, faces: Faces) -> tuple[Answers, float]:
        """What it says before any temperature, and microseconds per face."""
        if faces.labels != self.labels:
            raise UserError(
                f"knows {', '.join(self.labels)}, but the data is labelled "
                f"{', '.join(faces.labels)}",
                self.which,
                "use data with its labels",
            )
        return evaluation.predict(self.classifier, faces.pixels)

    def shares(self, answers: Answers) -> NDArray[np.float32]:
        """(N, labels) probabilities at the operating point."""
        return self.point.read(answers.shares)


def _bytes(which: str) -> bytes:
    try:
        return Path(which).read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", which, "name a .tflite file"
        ) from None


def figures(
    candidate: Candidate, faces: Faces, by: Path | None = None, folds: int | None = None
) -> dict[str, Any]:
    """The object of docs/contract.md, with intervals, and groups and folds where asked for."""
    answers, per_face = candidate.answers(faces)
    shares, truth = candidate.shares(answers), candidate.truth(faces)
    scores = evaluation.scored(faces, shares, truth)
    rows = evaluation.known(faces, truth)
    groups = Groups(by, faces) if by else None
    units = groups.units[rows] if groups else rows.nonzero()[0]
    pack = candidate.pack
    found = evaluation.report(faces, shares, candidate.labels, truth)
    found["intervals"] = {
        "accuracy": bootstrap(lambda at: float(scores.right[at].mean()), units),
        "ece": bootstrap(lambda at: scores.only(at).ece(), units, 300),
        **{
            key: bootstrap(
                lambda at, key=key: evaluation.macro(scores.only(at).confusion())[key],  # type: ignore[misc]  # the default binds this figure's name
                units,
                300,
            )
            for key in ("balanced_accuracy", "macro_f1")
        },
    }
    if pack:
        sure = scores.shares.max(axis=1) >= candidate.point.threshold
        found["answered"] = round(float(sure.mean()), 4)
        right = float(scores.right[sure].mean()) if sure.any() else 0.0
        found["right_when_answered"] = round(right, 4)
        found["taken_for_no_face"] = round(
            float((answers.face[rows] < pack.face_threshold).mean()), 4
        )
    if faces.missed:
        found["missed_by_detector"] = faces.missed
    if groups:
        found["groups"] = by_group(scores, groups, rows)
    if folds:
        found["folds"] = evaluation.folded(evaluation.scored(faces, answers.shares, truth), folds)
    return found | {
        "size_bytes": candidate.size_bytes,
        "parameters": pack.parameters if pack else None,
        "runtime": candidate.classifier.runtime,
        "form": candidate.form,
        "us_per_face": round(per_face, 1),
    }


data_option = click.option(
    "--data",
    required=True,
    type=path_option,
    help="An .npz, a fer2013.csv, a folder of classes, or annotated photographs.",
)


@click.command()
@click.option("--model", "which", required=True, help="A pack's name or folder, or a .tflite file.")
@data_option
@click.option(
    "--point",
    type=click.Choice(["room", "votes"]),
    default="room",
    show_default=True,
    help="Read the answers as devices do in a room, or as the people who taught it vote.",
)
@click.option("--usage", help="The rows of a .csv: Training, PublicTest or PrivateTest.")
@click.option("--votes", type=path_option, help="FER+'s fer2013new.csv, for a .csv.")
@click.option(
    "--by",
    type=path_option,
    help="A .csv of groups: report every metric per group, and test for differences.",
)
@click.option(
    "--folds", type=int, help="Cross-validate temperature and threshold with this many folds."
)
@click.option(
    "--form",
    type=click.Choice(["int8", "float16"]),
    help="Which of the pack's files; by default the one that an agent on this machine runs.",
)
@click.option("--out", type=path_option, help="Folder for pictures and report.json.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    which: str,
    data: Path,
    point: PointName,
    usage: str | None,
    votes: Path | None,
    by: Path | None,
    folds: int | None,
    form: Form | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Score the file that ships, through the interpreter that devices use."""
    faces, candidate = load(data, usage, votes), Candidate(which, form, point)
    found = figures(candidate, faces, by, folds)
    if out:
        from models.measure.envelope import envelope
        from models.measure.pictures import draw_all

        found["envelope"] = envelope(candidate.classifier, faces, found["truth"])
        out.mkdir(parents=True, exist_ok=True)
        draw_all(found, out)
        (out / "report.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(found))
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    for key, value in found.items():
        if key in QUIET or key == "envelope":
            continue
        interval = found["intervals"].get(key)
        spread = f"   [{interval[0]}, {interval[1]}]" if interval else ""
        click.echo(f"{key:>20}: {value}{spread}")
    labels = found["labels"]
    wide = max(10, *(len(label) + 2 for label in labels))
    click.echo("\n" + " " * wide + "".join(f"{label:>{wide}}" for label in labels) + "   <- said")
    for label, row in zip(labels, found["confusion"], strict=True):
        click.echo(f"{label:>{wide}}" + "".join(f"{count:>{wide}}" for count in row))
    for name, column in found.get("groups", {}).items():
        click.echo(f"\n{name}: do groups differ by more than chance? p = {column['p']}")
        for value, per in column["groups"].items():
            low, high = per["interval"]
            click.echo(
                f"{value:>20}: n {per['n']}, accuracy {per['accuracy']} [{low}, {high}], "
                f"balanced {per['balanced_accuracy']}, macro F1 {per['macro_f1']}"
            )
    if "folds" in found:
        click.echo(f"\ncross-validated choices, {found['folds']['folds']} folds:")
        for name, per in found["folds"].items():
            if name not in ("folds", "each"):
                click.echo(f"{name:>20}: {per['mean']} ± {per['sd']}")
        click.echo("\n" + "\n".join(evaluation.fold_table(found["folds"]["each"])))


def _beside(other: Candidate, faces: Faces, int8: Answers) -> dict[str, float]:
    """The half-precision form's accuracy and cost, and how often it says the same as int8."""
    answers, per_face = other.answers(faces)
    truth = other.truth(faces)
    rows = evaluation.known(faces, truth)
    alike = answers.shares[rows].argmax(axis=1) == int8.shares[rows].argmax(axis=1)
    accuracy = evaluation.scored(faces, other.shares(answers), truth).accuracy()
    return {"accuracy": accuracy, "agrees": float(alike.mean()), "us_per_face": per_face}


@click.command()
@click.option(
    "--model", "which", required=True, help="The pack: a folder, or the name of a shipped one."
)
@data_option
@click.option(
    "--photos", type=path_option, help="Photographs labelled with emotions, such as faces_london."
)
@click.option("--usage", help="The rows of a .csv: Training, PublicTest or PrivateTest.")
def card(which: str, data: Path, photos: Path | None, usage: str | None) -> None:
    """Measure a pack and write its CARD.md and pictures into its folder."""
    from models.measure.card import write
    from models.measure.envelope import envelope

    candidate, other = Candidate(which, "int8"), Candidate(which, "float16")
    if candidate.pack is None:
        raise UserError(
            "not a pack, and a card describes a pack", which, "give a pack's folder or name"
        )
    folder = Path(which) if Path(which).is_dir() else SHIPPED / which
    faces = load(data, usage)
    found = figures(candidate, faces, folds=10)
    if other.form == "float16":
        found["other_form"] = _beside(other, faces, candidate.answers(faces)[0])
    # Fifteen passes more, for which the form that is fast here is near enough.
    fast = other if fast_form() == "float16" else candidate
    found["envelope"] = envelope(fast.classifier, faces, found["truth"])
    elsewhere = None
    if photos:
        elsewhere = figures(candidate, load(photos), photos / "index.json")
    write(folder, candidate.pack, found, elsewhere)
    click.echo(f"{folder / 'CARD.md'}: written")
