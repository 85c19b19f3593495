"""`roommood model evaluate` and `card`: everything that is said about a pack, and where from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edge.common.errors import UserError
from edge.vision.forms import Form, fast_form
from edge.vision.interpreter import Answers
from edge.vision.operating_point import PointName
from edge.vision.pack import PACKS
from models.data.faces import Faces
from models.data.sources import load
from models.measure import evaluate as evaluation
from models.measure.candidate import Candidate
from models.measure.card import write
from models.measure.envelope import envelope
from models.measure.groups import Groups, by_group
from models.measure.intervals import bootstrap
from models.measure.operating_point import at_points, places, sets
from models.measure.pictures import draw_all

path_option = click.Path(path_type=Path)
input_option = click.Path(path_type=Path, exists=True)
QUIET = ("confusion", "labels", "per_label", "reliability", "intervals", "groups", "folds")


def figures(
    candidate: Candidate, faces: Faces, by: Path | None = None, folds: int | None = None
) -> dict[str, Any]:
    """The object of docs/contract.md, with intervals, and groups and folds where asked for."""
    answers, per_face = candidate.answers(faces)
    shares, truth = candidate.shares(answers), candidate.truth(faces)
    scores = evaluation.score_against(faces, shares, truth)
    rows = evaluation.has_truth(faces, truth)
    groups = Groups(by, faces) if by else None
    units = groups.units[rows] if groups else rows.nonzero()[0]
    pack = candidate.pack
    report = evaluation.report(faces, shares, candidate.labels, truth)
    report["intervals"] = {
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
        report["answered"] = round(float(sure.mean()), 4)
        right = float(scores.right[sure].mean()) if sure.any() else 0.0
        report["right_when_answered"] = round(right, 4)
        report["taken_for_no_face"] = round(
            float((answers.face[rows] < pack.face_threshold).mean()), 4
        )
    if faces.misses:
        report["missed_by_detector"] = faces.misses
    if groups:
        report["groups"] = by_group(scores, groups, rows)
    if folds:
        report["folds"] = evaluation.cross_validate(
            evaluation.score_against(faces, answers.shares, truth), folds
        )
    return report | {
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
@click.option("--votes", type=input_option, help="FER+'s fer2013new.csv, for a .csv.")
@click.option(
    "--by",
    type=input_option,
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
    report = figures(candidate, faces, by, folds)
    if out:
        report["envelope"] = envelope(candidate.classifier, faces, report["truth"])
        out.mkdir(parents=True, exist_ok=True)
        draw_all(report, out)
        (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(report))
        return
    _print(report)


def _print(report: dict[str, Any]) -> None:
    for key, value in report.items():
        if key in QUIET or key == "envelope":
            continue
        interval = report["intervals"].get(key)
        spread = f"   [{interval[0]}, {interval[1]}]" if interval else ""
        click.echo(f"{key:>20}: {value}{spread}")
    labels = report["labels"]
    wide = max(10, *(len(label) + 2 for label in labels))
    click.echo("\n" + " " * wide + "".join(f"{label:>{wide}}" for label in labels) + "   <- said")
    for label, row in zip(labels, report["confusion"], strict=True):
        click.echo(f"{label:>{wide}}" + "".join(f"{count:>{wide}}" for count in row))
    for name, column in report.get("groups", {}).items():
        click.echo(f"\n{name}: do groups differ by more than chance? p = {column['p']}")
        for value, per in column["groups"].items():
            low, high = per["interval"]
            click.echo(
                f"{value:>20}: n {per['n']}, accuracy {per['accuracy']} [{low}, {high}], "
                f"balanced {per['balanced_accuracy']}, macro F1 {per['macro_f1']}"
            )
    if "folds" in report:
        click.echo(f"\ncross-validated choices, {report['folds']['folds']} folds:")
        for name, per in report["folds"].items():
            if name not in ("folds", "each"):
                click.echo(f"{name:>20}: {per['mean']} ± {per['sd']}")
        click.echo("\n" + "\n".join(evaluation.fold_table(report["folds"]["each"])))


def _beside(other: Candidate, faces: Faces, int8: Answers) -> dict[str, float]:
    """The half-precision form's accuracy and cost, and how often it says the same as int8."""
    answers, per_face = other.answers(faces)
    truth = other.truth(faces)
    rows = evaluation.has_truth(faces, truth)
    alike = answers.shares[rows].argmax(axis=1) == int8.shares[rows].argmax(axis=1)
    accuracy = evaluation.score_against(faces, other.shares(answers), truth).accuracy()
    return {"accuracy": accuracy, "agrees": float(alike.mean()), "us_per_face": per_face}


@click.command()
@click.option(
    "--model", "which", required=True, help="The pack: a folder, or the name of a shipped one."
)
@data_option
@click.option(
    "--photos", type=input_option, help="Photographs labelled with emotions, such as faces_london."
)
@click.option(
    "--rooms",
    type=input_option,
    help="A folder with faces_london, faces_press and fer2013: what the pack does as rooms use it.",
)
@click.option("--usage", help="The rows of a .csv: Training, PublicTest or PrivateTest.")
def card(
    which: str, data: Path, photos: Path | None, rooms: Path | None, usage: str | None
) -> None:
    """Measure a pack and write its CARD.md and pictures into its folder.

    All figures but those of --rooms are at the point at which the votes taught it.
    """
    candidate, other = (Candidate(which, form, "votes") for form in ("int8", "float16"))
    if candidate.pack is None:
        raise UserError(
            "not a pack, and a card describes a pack", which, "give a pack's folder or name"
        )
    folder = Path(which) if Path(which).is_dir() else PACKS / which
    faces = load(data, usage)
    report = figures(candidate, faces, folds=10)
    if other.form == "float16":
        report["other_form"] = _beside(other, faces, candidate.answers(faces)[0])
    # Fifteen passes more, for which the form that is fast here is near enough.
    fast = other if fast_form() == "float16" else candidate
    report["envelope"] = envelope(fast.classifier, faces, report["truth"])
    elsewhere = None
    if photos:
        elsewhere = figures(candidate, load(photos), photos / "index.json")
    in_rooms = None
    if rooms:
        london, press, ferplus = places(rooms)
        groups = Groups(london / "index.json", load(london))
        in_rooms = at_points(sets(candidate, london, press, ferplus), candidate.pack, groups)
    write(folder, candidate.pack, report, elsewhere, in_rooms)
    click.echo(f"{folder / 'CARD.md'}: written")
