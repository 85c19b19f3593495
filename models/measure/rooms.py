"""How much better corrected shares are than raw counts, on rooms whose truth is known.

    python -m models.measure.rooms --model fer7 --data ../shared/data/fer2013/public_test.npz
    python -m models.measure.rooms --model fer7 --mosaic ../shared/data/rooms_mosaic/mosaic_4x6.mp4

With `--data` rooms are drawn from labelled faces, half of which give the confusion matrix and the
other half the rooms: 12 or 24 faces, in mixtures about that of all faces. With `--mosaic` windows
of a film are counted as a device counts them. The error is half the sum of the differences of the
shares: the part of the room that is put in the wrong place.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from edge.common.errors import UserError
from edge.protocol.messages import UNCERTAIN
from edge.vision.emotion import Expressions, tempered
from edge.vision.faces import HaarDetector
from edge.vision.forms import open_fast
from edge.vision.pack import Pack
from edge.window.tally import Tally
from models import shares
from models.data.films import Film
from models.data.sources import load
from models.measure import evaluate as evaluation
from models.measure.scoring import Candidate

ROOMS = 300
WINDOW_S = 5
FRAMES_PER_S = 2
SPREAD = 3.0
"""How alike the rooms are to the faces at large: of a Dirichlet distribution about their shares."""

PRIORS = (0.0, 1.0, 2.0, 4.0, 8.0)


Room = tuple[Mapping[str, float], Mapping[str, float], Pack]
"""What was counted, what is true, and the pack whose errors are taken out."""


def error(found: Mapping[str, float], true: Mapping[str, float]) -> float:
    """Half the L1 distance of two divisions of the same room; `uncertain` is always wrong."""
    whole, right = sum(found.values()), sum(true.values())
    names = found.keys() | true.keys()
    return sum(abs(found.get(n, 0) / whole - true.get(n, 0) / right) for n in names) / 2


def both(counts: Mapping[str, float], true: Mapping[str, float], pack: Pack) -> tuple[float, float]:
    """The errors of the raw and of the corrected counts."""
    # One draw: the intervals, which take nearly all of the time, are not looked at.
    better = {name: share.value for name, share in shares.corrected(counts, pack, draws=1).items()}
    return error(counts, true), error(better, true)


def drawn(which: str, data: Path, seed: int = 1) -> list[Room]:
    """Rooms drawn from labelled faces, with a pack that has not seen their faces."""
    candidate, faces = Candidate(which), load(data)
    pack = candidate.pack
    if pack is None:
        raise UserError("has no threshold", which, "use a pack, which has one")
    answers, _ = candidate.answers(faces)
    scores = evaluation.scored(
        faces, tempered(answers.shares, pack.temperature), candidate.truth(faces)
    )
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(scores.truth))
    known, rooms = scores.only(order[::2]), scores.only(order[1::2])
    fitted = pack.model_copy(
        update={"confusion": tuple(map(tuple, known.confusion(pack.threshold).tolist()))}
    )
    said = np.where(
        rooms.shares.max(axis=1) >= pack.threshold, rooms.shares.argmax(axis=1), len(pack.labels)
    )
    names = (*pack.labels, UNCERTAIN)
    usual = np.bincount(known.truth, minlength=len(pack.labels)) / len(known.truth)
    found: list[Room] = []
    for _ in range(ROOMS):
        mixture = rng.dirichlet(SPREAD * usual)
        true = rng.choice(len(pack.labels), rng.choice([12, 24]), p=mixture)
        who = [rng.choice(np.flatnonzero(rooms.truth == label)) for label in true]
        counts = dict.fromkeys(names, 0.0) | Counter(names[said[at]] for at in who)
        found.append((counts, Counter(pack.labels[label] for label in true), fitted))
    return found


def windows(which: str, film: Path) -> list[Room]:
    """The windows of a film with a `.truth.json` beside it, counted as a device counts them."""
    pack, model = open_fast(which)
    reader, haar = Expressions.from_pack(pack, model), HaarDetector()
    try:
        truth = json.loads(film.with_suffix(".truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UserError(f"no truth beside it ({problem})", film, "use a mosaic") from None
    opened = Film(film)
    every, per_window = round(opened.rate / FRAMES_PER_S), round(opened.rate * WINDOW_S)
    found: list[Room] = []
    tally, true = Tally((*pack.labels, UNCERTAIN)), Counter[str]()
    for number, (people, frame) in enumerate(zip(truth, opened, strict=False)):
        if number % every == 0:
            tally.add([label for label in reader.read(frame, haar.find(frame)) if label])
            true.update(person["emotion"] for person in people)
        if (number + 1) % per_window == 0 or number + 1 == len(truth):
            if tally.frames:
                found.append((tally.typical(), true, pack))
            tally, true = Tally((*pack.labels, UNCERTAIN)), Counter[str]()
    return found


def _say(title: str, errors: list[tuple[float, float]]) -> None:
    raw, better = np.mean(errors, axis=0)
    click.echo(f"{title}: {len(errors)} rooms, error raw {raw:.3f}, corrected {better:.3f}")


@click.command()
@click.option("--model", "which", default="fer7", show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="Labelled faces.")
@click.option("--mosaic", "mosaics", type=click.Path(path_type=Path), multiple=True)
@click.option("--priors", is_flag=True, help="With --data: the error for several priors.")
def main(which: str, data: Path | None, mosaics: tuple[Path, ...], priors: bool) -> None:
    """Prints the mean errors of raw and corrected counts."""
    if data and priors:
        rooms = drawn(which, data)
        for prior in PRIORS:
            shares.PRIOR = prior
            _say(f"prior {prior}", [both(*room) for room in rooms])
    elif data:
        _say(data.name, [both(*room) for room in drawn(which, data)])
    for mosaic in mosaics:
        _say(mosaic.name, [both(*room) for room in windows(which, mosaic)])


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as problem:
        sys.exit(f"roommood: {problem}")
