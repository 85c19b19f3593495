"""How far a room's counts are from its truth, on rooms whose truth is known.

    python -m models.measure.rooms --model fer7 --data ../shared/data
    python -m models.measure.rooms --model fer7 --data ../shared/data --point votes

Rooms are drawn from the faces of `fer2013/public_test.npz`, 12 or 24 each, in mixtures about that
of all faces; the operating point is fitted without the half that they are drawn from. The mosaics
(`rooms_mosaic`) are counted in windows of five seconds as a device counts them; their people are
those of `faces_london`, on which the point was fitted. The error is half the sum of the
differences of the shares: the part of the room that is put in the wrong place. *named*: each face
by its label, `uncertain` included; *counted*: as estimated; *told*: after disclosure.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from edge.common.errors import UserError
from edge.config import FacesSettings
from edge.vision.emotion import Expressions
from edge.vision.forms import open_fast
from edge.vision.operating_point import OperatingPoint, PointName
from edge.vision.pipeline import layout, room
from edge.window.disclosure import DisclosureControl, SteadyDisclosure
from edge.window.tally import Tally
from models.data.films import Film
from models.measure import evaluate as evaluation
from models.measure import operating_point
from models.measure.candidate import Candidate
from models.measure.drawn_rooms import draw

WINDOW_S = 5
FRAMES_PER_S = 2


class Errors(NamedTuple):
    """Of one window."""

    label_error: float
    count_error: float
    published_error: float | None


def error(estimate: Mapping[str, float], true: Mapping[str, float]) -> float:
    """Half the L1 distance of two divisions of the same room; `uncertain` is always wrong."""
    whole, right = sum(estimate.values()), sum(true.values())
    names = estimate.keys() | true.keys()
    return sum(abs(estimate.get(n, 0) / whole - true.get(n, 0) / right) for n in names) / 2


def errors(
    tally: Tally,
    label_counts: Mapping[str, float],
    true: Mapping[str, float],
    control: DisclosureControl,
) -> Errors:
    """Of one window, counted three ways."""
    counts = control.decide(tally).counts
    return Errors(
        error(label_counts, true),
        error(tally.typical(), true),
        error(counts, true) if counts else None,
    )


def draw_errors(candidate: Candidate, data: Path, name: PointName) -> Iterator[Errors]:
    """Rooms of faces that the operating point was not fitted on."""
    pack = candidate.pack
    if pack is None:
        raise UserError("not a pack", candidate.which, "name a pack, which has an operating point")
    london, press, ferplus = operating_point.places(data)
    sets = operating_point.sets(candidate, london, press, ferplus)
    faces = sets[-1]
    half = np.random.default_rng(1).permutation(len(faces.truth)) % 2 == 0
    point = pack.point(name)
    if name == "room":
        point = operating_point.point([*sets[:-1], faces.only(half)], pack)
    rest = faces.only(~half)
    scores = evaluation.Scores(rest.truth.argmax(axis=1), point.read(rest.answers))
    for one in draw(scores, pack.labels, point.threshold):
        label_counts = Counter(reading.label for reading in one.readings)
        yield errors(
            one.tally(pack.labels, point.usual), label_counts, one.true, SteadyDisclosure()
        )


def windows(which: str, film: Path, name: PointName) -> Iterator[Errors]:
    """The windows of a film with a `.truth.json` beside it, counted as a device counts them."""
    pack, model = open_fast(which)
    point: OperatingPoint = pack.point(name)
    settings = FacesSettings()
    reader = room(settings, Expressions.from_pack(pack, model, name), layout(settings))
    try:
        truth = json.loads(film.with_suffix(".truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UserError(f"no truth beside it ({problem})", film, "use a mosaic") from None
    video = Film(film)
    every, per_window = round(video.rate / FRAMES_PER_S), round(video.rate * WINDOW_S)
    control = SteadyDisclosure()
    tally, label_counts, true = Tally(pack.labels, point.usual), Counter[str](), Counter[str]()
    for number, (people, frame) in enumerate(zip(truth, video, strict=False)):
        if number % every == 0:
            readings = reader.look(frame)
            tally.add(readings)
            label_counts.update(reading.label for reading in readings)
            true.update(person["emotion"] for person in people)
        if (number + 1) % per_window == 0:
            if label_counts:
                yield errors(tally, label_counts, true, control)
            reader.forget()
            tally, label_counts, true = Tally(pack.labels, point.usual), Counter(), Counter()


def _say(title: str, results: list[Errors]) -> None:
    disclosure_errors = [one.published_error for one in results if one.published_error is not None]
    click.echo(
        f"{title}: {len(results)} windows, "
        f"error named {np.mean([e.label_error for e in results]):.3f}, "
        f"counted {np.mean([e.count_error for e in results]):.3f}, "
        f"told {f'{np.mean(disclosure_errors):.3f}' if disclosure_errors else 'nothing'}"
    )


@click.command()
@click.option("--model", "which", default="fer7", show_default=True)
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--point", type=click.Choice(["room", "votes"]), default="room", show_default=True)
def main(which: str, data: Path, point: PointName) -> None:
    """Prints the mean errors of a room's counts."""
    _say("drawn rooms", list(draw_errors(Candidate(which, "int8", point), data, point)))
    window_errors = []
    for film in sorted((data / "rooms_mosaic").glob("*.mp4")):
        of_film = list(windows(which, film, point))
        _say(film.name, of_film)
        window_errors += of_film
    if window_errors:
        _say("mosaics", window_errors)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except UserError as problem:
        sys.exit(f"roommood: {problem}")
