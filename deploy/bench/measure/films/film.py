"""A film made from a seed, frame by frame with its truth; nothing of it is kept.

`walk+dim`: a way of moving, and with `+dim` the light.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from deploy.bench.measure.films.people import Cast, Half, drawn_cast, london
from deploy.bench.measure.films.scene import background, draw, light
from deploy.bench.measure.films.script import HEIGHT, KINDS, WIDTH, Wander, moves
from deploy.bench.measure.material import MaterialFrame, TrueFace
from edge.common.errors import UserError

SURELY, PERHAPS = 0.75, 0.4
"""A face counts as there from the first share that can be seen; below the second it is hidden.

In between it is neither missed nor wrongly found: people would not agree either.
"""

NOISE, NOISE_DIM = 2.5, 4.0
"""Deviation of the sensor's noise, grey levels."""

FROM_S = 20.0
"""Into the script, so that not everybody begins as scripted."""


@dataclass(frozen=True)
class FilmPlan:
    """One film. `faces`: the folder of portraits; without it people are drawn."""

    kind: str
    people: int
    seed: int
    faces: Path | None
    half: Half = "report"
    is_film: bool = True

    @property
    def path(self) -> Path:
        """What it is called in figures."""
        return Path(f"{self.kind}-{self.people}-{self.seed}")

    @property
    def has_emotions(self) -> bool:
        return True

    def cast(self) -> Cast:
        return london(self.faces, self.half, self.seed) if self.faces else drawn_cast(self.seed)

    def shots(self, per_second: float, most: int) -> Iterator[MaterialFrame]:
        """`most` frames of 1280 by 720, at so many per second."""
        way, _, lamp = self.kind.partition("+")
        dim = "dim" in (way, lamp)
        everybody = moves("tilt" if way == "dim" else way, self.people, self.seed)
        whom = self.cast()
        chance = [random.Random(f"looks {self.seed}/{n}") for n in range(self.people)]
        expression = [
            Wander(r, lambda r: float(r.randrange(len(whom.expressions))), (2, 6), 0)
            for r in chance
        ]
        bright = [r.uniform(0.7, 1.05) for r in chance]
        empty, lit = background(self.seed), light(self.seed, dim=dim)
        noise = np.random.default_rng(self.seed)
        for number in range(most):
            second = FROM_S + number / per_second
            people = []
            for n, move in enumerate(everybody):
                name = whom.expressions[int(expression[n].at(second))]
                people.append((move(second), whom.portrait(n, name), bright[n]))
            order = sorted(range(self.people), key=lambda n: people[n][0].width)
            canvas = empty.copy()
            sightings = draw(canvas, [people[n] for n in order])
            canvas *= lit * (1 + 0.02 * np.sin(9.7 * second))
            deviation = NOISE_DIM if dim else NOISE
            canvas += deviation * noise.standard_normal(canvas.shape, np.float32)
            faces = [
                TrueFace(one.box, people[n][1].expression, one.share < SURELY, n)
                for n, one in zip(order, sightings, strict=True)
                if one is not None and one.share >= PERHAPS
            ]
            yield MaterialFrame(np.clip(canvas, 0, 255).astype(np.uint8), faces)


def films(kinds: str, people: int, seed: int, faces: Path | None, half: Half) -> list[FilmPlan]:
    """One for each kind of `walk,tilt+dim`; raises UserError for one that there is not."""
    plans = []
    for kind in kinds.split(","):
        way, plus, lamp = kind.partition("+")
        if way not in (*KINDS, "dim") or (plus and lamp != "dim"):
            choices = ", ".join((*KINDS, "dim"))
            raise UserError(
                "not a kind of film", f"--films {kind}", f"write {choices}, or walk+dim"
            )
        plans.append(FilmPlan(kind, people, seed, faces, half))
    return plans


def write(folder: Path, plans: Sequence[FilmPlan], per_second: float, most: int) -> None:
    """Each as NAME.mp4 with NAME.truth.json, to look at, or for another program."""
    folder.mkdir(parents=True, exist_ok=True)
    for film in plans:
        path = folder / f"{film.path}.mp4"
        writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter.fourcc(*"mp4v"), per_second, (WIDTH, HEIGHT), isColor=True
        )
        truth = []
        for picture in film.shots(per_second, most):
            writer.write(cv2.cvtColor(picture.grey, cv2.COLOR_GRAY2BGR))
            truth.append(
                [
                    {"slot": f.person, "box": f.box[:4], "emotion": f.emotion, "unsure": f.unsure}
                    for f in picture.faces
                ]
            )
        writer.release()
        path.with_suffix(".truth.json").write_text(json.dumps(truth), encoding="utf-8")
