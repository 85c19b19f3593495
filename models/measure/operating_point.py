"""The operating point for rooms: fitted on named data, tried on people it was not fitted on.

    python -m models.measure.operating_point --model fer7 --data ../shared/data
    python -m models.measure.operating_point --model fer7 --data ../shared/data --write

Reads `faces_london`, `faces_press/dev.npz` and `fer2013/public_test.npz` of the folder, unless they
are named one by one. Prints the figures at the point as the votes taught it and at the one for
rooms, each on faces of people (FER+: on faces) that a fifth of the data at a time was kept apart
from. `--write` fits the point on all of them and puts it into pack.yaml, as `room`.

Maximum likelihood with a penalty on what differs from the taught point: matrix scaling (Guo et al.,
arXiv 1706.04599). A number per label alone, which was tried first, trades one label for another:
with the smiles of `faces_london` recognised, neutral faces of the press were not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import yaml
from numpy.typing import NDArray

from edge.common.errors import UserError
from edge.vision.operating_point import FLOOR, OperatingPoint, PointName
from edge.vision.pack import PACK_FILE, PACKS, Pack, open_pack
from models.data.faces import Faces
from models.data.sources import load
from models.measure import evaluate as evaluation
from models.measure.candidate import Candidate
from models.measure.drawn_rooms import spread
from models.measure.groups import Groups, by_group

FOLDS = 5
PENALTY = 0.05
NEWTON = 30
"""Steps at most; some ten are taken."""

CLOSE = 1e-9
"""A step that would gain less than this is the last."""

WEIGHTS = {"london": 3.0, "press": 1.0, "ferplus": 1.0}
"""How much each set counts, however many faces it has. London's are the only ones whose
expression is known for certain."""

Matrix = NDArray[np.float64]


class Set(NamedTuple):
    """Faces of one source: what the model says of them (N, labels), what is true of them
    (N, labels), and whose they are (N,)."""

    name: str
    answers: NDArray[np.float32]
    truth: Matrix
    person: NDArray[Any]

    def only(self, rows: NDArray[np.bool_]) -> Set:
        return Set(self.name, self.answers[rows], self.truth[rows], self.person[rows])


def sets(candidate: Candidate, london: Path, press: Path, ferplus: Path) -> list[Set]:
    """The three sources, read by a pack; raises UserError for one that is not there."""
    size = len(candidate.labels)
    one_hot = np.eye(size)
    sources = []
    for name, path in (("london", london), ("press", press), ("ferplus", ferplus)):
        faces = load(path)
        answers = candidate.answers(faces)[0].shares
        if name == "ferplus":
            rows = faces.has_majority()
            assert faces.votes is not None  # or `has_majority` had refused
            votes = faces.votes[rows].astype(float)
            truth = votes / votes.sum(axis=1, keepdims=True)
            sources.append(Set(name, answers[rows], truth, np.arange(int(rows.sum()))))
        else:
            who = people(path, faces)
            sources.append(Set(name, answers, one_hot[faces.label], who))
    return sources


def places(data: Path) -> tuple[Path, Path, Path]:
    """London, press and FER+ in the folder that has all three."""
    return (
        data / "faces_london",
        data / "faces_press" / "dev.npz",
        data / "fer2013" / "public_test.npz",
    )


def people(path: Path, faces: Faces) -> NDArray[Any]:
    """(N,) whose face each is; raises UserError where nobody says."""
    if path.is_dir():
        return Groups(path / "index.json", faces).units
    with np.load(path) as archive:
        if "person" not in archive:
            raise UserError("does not say whose faces they are", path, "add an array 'person'")
        return np.asarray(archive["person"])


def fit(data: list[Set], start: OperatingPoint) -> tuple[Matrix, Matrix]:
    """(weights, usual): `weights` (L, L + 1), the last column the offsets."""
    size = data[0].truth.shape[1]
    first = np.hstack([np.array(start.weights), np.zeros((size, 1))])
    x, y, w = [], [], []
    for one in data:
        logits = np.log(np.maximum(one.answers, FLOOR)).astype(float)
        x.append(np.hstack([logits, np.ones((len(logits), 1))]))
        y.append(one.truth)
        w.append(np.full(len(logits), WEIGHTS[one.name] / len(logits)))
    faces, truth, weight = np.concatenate(x), np.concatenate(y), np.concatenate(w)
    usual = weight @ truth / weight.sum()
    pairs = (faces[:, :, None] * faces[:, None]).reshape(len(faces), -1)
    at = first.copy()
    loss = _loss(faces, truth, weight, at, first)
    for _ in range(NEWTON):
        shares = _softmax(faces @ at.T)
        gradient = ((shares - truth) * weight[:, None]).T @ faces + PENALTY * (at - first)
        curvature = np.eye(size) * shares[:, :, None] - shares[:, :, None] * shares[:, None]
        curvature = (curvature * weight[:, None, None]).reshape(len(faces), -1)
        hessian = (curvature.T @ pairs).reshape(size, size, size + 1, size + 1)
        flat = hessian.transpose(0, 2, 1, 3).reshape(at.size, at.size)
        flat += PENALTY * np.eye(at.size)
        step = np.linalg.solve(flat, gradient.ravel()).reshape(at.shape)
        length = 1.0
        if float((step * gradient).sum()) < CLOSE:
            break
        while (better := _loss(faces, truth, weight, at - length * step, first)) > loss:
            length /= 2
        at, loss = at - length * step, better
    return at, usual


def _softmax(logits: Matrix) -> Matrix:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Matrix = exponents / exponents.sum(axis=1, keepdims=True)
    return shares


def _loss(faces: Matrix, truth: Matrix, weight: Matrix, at: Matrix, first: Matrix) -> float:
    likely = np.log(np.maximum(_softmax(faces @ at.T), 1e-12))
    return float(-(weight @ (truth * likely).sum(axis=1)) + PENALTY * ((at - first) ** 2).sum() / 2)


def point(data: list[Set], pack: Pack) -> OperatingPoint:
    """The point that fits these faces."""
    votes = pack.point("votes")
    weights, usual = fit(data, votes)
    draft = OperatingPoint(
        weights=tuple(tuple(round(value, 3) for value in row[:-1]) for row in weights.tolist()),
        offsets=tuple(round(value, 3) for value in weights[:, -1].tolist()),
        usual=tuple(round(value, 4) for value in usual.tolist()),
        threshold=pack.threshold,
    )
    ferplus = next(one for one in data if one.name == "ferplus")
    scores = evaluation.Scores(ferplus.truth.argmax(axis=1), draft.read(ferplus.answers))
    return draft.model_copy(
        update={
            "threshold": evaluation.choose_threshold(scores),
            "spread": spread(scores, pack.labels, draft.usual),
        }
    )


def parts(person: NDArray[Any], seed: int = 1) -> NDArray[np.int64]:
    """(N,) a number below FOLDS for each face, the same for all faces of a person."""
    names, of = np.unique(person, return_inverse=True)
    number = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    return np.asarray(number[of], np.int64)


def held_out(data: list[Set], pack: Pack) -> dict[str, NDArray[np.float32]]:
    """For each set, what the point for rooms makes of faces of people it was not fitted on."""
    part = {one.name: parts(one.person) for one in data}
    shares = {one.name: np.zeros(one.truth.shape, np.float32) for one in data}
    for fold in range(FOLDS):
        fold_point = point([one.only(part[one.name] != fold) for one in data], pack)
        for one in data:
            rows = part[one.name] == fold
            shares[one.name][rows] = fold_point.read(one.answers[rows])
    return shares


def figures(name: str, scores: evaluation.Scores) -> dict[str, float]:
    """Accuracy and calibration error on one set, and the error that chance alone would give."""
    return {
        f"{name}_accuracy": round(scores.accuracy(), 4),
        f"{name}_ece": round(scores.ece(), 4),
        f"{name}_ece_by_chance": round(scores.ece_by_chance(), 4),
    }


class AtPoint(NamedTuple):
    """What a pack does at one operating point: figures, and London's groups as `by_group` says."""

    figures: dict[str, float]
    groups: dict[str, Any]


def at_points(data: list[Set], pack: Pack, groups: Groups) -> dict[PointName, AtPoint]:
    """At the point as the votes taught it, and at that for rooms, each time fitted on others."""
    votes = pack.point("votes")
    readings: dict[PointName, dict[str, NDArray[np.float32]]] = {
        "votes": {one.name: votes.read(one.answers) for one in data},
        "room": held_out(data, pack),
    }
    results: dict[PointName, AtPoint] = {}
    for point_name, shares in readings.items():
        values: dict[str, float] = {}
        for one in data:
            scores = evaluation.Scores(one.truth.argmax(axis=1), shares[one.name])
            values |= figures(one.name, scores)
            if one.name == "london":
                per_group = by_group(scores, groups, np.ones(len(scores.truth), bool))
        gender = per_group["gender"]["groups"]
        women_minus_men = gender["female"]["accuracy"] - gender["male"]["accuracy"]
        values["women_minus_men"] = round(100 * women_minus_men, 1)
        results[point_name] = AtPoint(values, per_group)
    return results


def pack_of(which: str) -> Candidate:
    """The pack's int8 file, whose answers the point is fitted to; raises UserError for no pack."""
    candidate = Candidate(which, "int8")
    if candidate.pack is None:
        raise UserError("not a pack", which, "name a pack, which has labels and a temperature")
    return candidate


def write(folder: Path, operating_point: OperatingPoint, values: dict[str, float]) -> None:
    """Puts the point, and what it was measured to do, into the pack's pack.yaml."""
    path = folder / PACK_FILE
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["room"] = yaml.safe_load(operating_point.model_dump_json())
    content["figures"] |= {f"room_{name}": value for name, value in values.items()}
    text = yaml.safe_dump(content, sort_keys=False, width=100, default_flow_style=None)
    path.write_text(text, encoding="utf-8")


@click.command()
@click.option("--model", "which", default="fer7", show_default=True, help="A pack.")
@click.option("--data", type=click.Path(path_type=Path), help="The folder that has all three.")
@click.option("--london", type=click.Path(path_type=Path), help="Photographs with emotions.")
@click.option("--press", type=click.Path(path_type=Path), help="An .npz with `person`.")
@click.option("--ferplus", type=click.Path(path_type=Path), help="An .npz with votes.")
@click.option("--write", "store", is_flag=True, help="Put the point into the pack.")
def main(
    which: str,
    data: Path | None,
    london: Path | None,
    press: Path | None,
    ferplus: Path | None,
    store: bool,
) -> None:
    """Fit, measure and store a pack's operating point for rooms."""
    usual = places(data or Path())
    london, press, ferplus = london or usual[0], press or usual[1], ferplus or usual[2]
    candidate = pack_of(which)
    assert candidate.pack is not None  # or `pack_of` had refused
    read = sets(candidate, london, press, ferplus)
    results = at_points(read, candidate.pack, Groups(london / "index.json", load(london)))
    for title, at in results.items():
        values = ", ".join(f"{key} {value}" for key, value in at.figures.items())
        click.echo(f"{title:>6}: {values}")
    if store:
        folder = Path(which) if Path(which).is_dir() else PACKS / which
        write(folder, point(read, candidate.pack), results["room"].figures)
        click.echo(f"{open_pack(str(folder))[0].name}: its point for rooms is in {PACK_FILE}")


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as refusal:
        sys.exit(f"roommood: {refusal}")
