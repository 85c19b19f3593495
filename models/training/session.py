"""Everything that trains, in the minutes that there are: teachers first, then all students."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from edge.common.errors import UserError
from edge.vision.pack import open_pack
from models.data.sources import load
from models.training.batches import FaceStore
from models.training.course import Course, CoursePlan, Student
from models.training.ensemble import Ensemble, Member, members, store
from models.training.files import WEIGHTS_FILE
from models.training.network import Name, build
from models.training.samples import Truth
from models.training.saved_networks import from_pack, read_weights
from models.training.train import accuracies, fast_bfloat16


class Goal(NamedTuple):
    """A student: the name of its pack, its network, and the truth that it learns."""

    network: Name
    truth: Truth


STUDENTS = {
    "fer7-wide": Goal("wide", "ferplus"),
    "fer7": Goal("standard", "ferplus"),
    "fer7-small": Goal("small", "ferplus"),
    "fer2013": Goal("standard", "fer2013"),
    "fer2013-small": Goal("small", "fer2013"),
}

FROM_NOTHING: tuple[Name, ...] = ("teacher", "teacher-fine", "teacher")
"""On a GPU: the teachers that are trained first, one after the other, each with its own seed."""

TEACHERS_PART, WIDE_PART = 0.45, 0.65
"""Of the time: what teachers get on a GPU, and what the wide teacher gets on a CPU."""

ANSWERS = "answers.npz"
COMMAND = "command.txt"
"""Beside what is learnt: the command that it was learnt by."""


class Session:
    """A folder of what is learnt: `teachers/`, `students/`, and a folder for each course."""

    def __init__(
        self, data: Path, out: Path, negatives: Path, teachers: Path, packs: Path, seed: int = 1
    ) -> None:
        self.out, self._negatives, self._packs, self._seed = out, negatives, packs, seed
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._half = fast_bfloat16(self._device)
        self._training_faces, self._held_out = (
            load(data / "train.npz"),
            load(data / "public_test.npz"),
        )
        self._earlier_teachers = sorted(teachers.glob("*.npz"))
        # The fastest convolutions are looked for once: all batches have one shape.
        torch.backends.cudnn.benchmark = True

    def run(
        self,
        seconds: float,
        only: tuple[str, ...],
        log: Callable[[str], None],
        from_nothing: bool | None = None,
    ) -> None:
        """Trains for about that long; raises UserError for a student that is not known.

        `from_nothing`: teachers from nothing, then all students, asking the teachers about each
        view; the default on a GPU. Otherwise the wide teacher goes on, and is cut into the wide
        students; others follow, if any are wanted.
        """
        unknown = sorted({*only} - STUDENTS.keys())
        if unknown:
            raise UserError("no such student", unknown[0], f"choose from {', '.join(STUDENTS)}")
        goals = {name: goal for name, goal in STUDENTS.items() if not only or name in only}
        log(f"{self._device}, {len(self._training_faces.label)} faces, {seconds:.0f} s")
        if self._device.type == "cuda" if from_nothing is None else from_nothing:
            self._teachers_from_nothing(seconds * TEACHERS_PART, log)
            self._students(goals, seconds * (1 - TEACHERS_PART), log, ask=True)
            return
        others = {name: goal for name, goal in goals.items() if goal.network != "wide"}
        self._wide(seconds * (WIDE_PART if others else 1), log)
        for name in goals.keys() - others.keys():
            head = cut(read_weights(self.out / "teachers" / "wide.npz"), goals[name].truth)
            store(self.out / "students" / f"{name}.npz", head)
        if others:
            self._students(others, seconds * (1 - WIDE_PART), log, ask=False)

    def own_teachers(self) -> list[Path]:
        """Teachers of this session, which later courses learn from too."""
        return sorted((self.out / "teachers").glob("*.npz"))

    def _score(self, network: nn.Module, truth: Truth) -> dict[str, float]:
        return accuracies(network, self._held_out, truth, self._device)

    def _store(self) -> FaceStore:
        return FaceStore(self._training_faces, self._negatives, self._device)

    def _course(
        self, name: str, plan: CoursePlan, students: dict[str, Student], faces: FaceStore
    ) -> Course:
        return Course(self.out / name, plan, students, faces, self._half)

    def _teachers_from_nothing(self, seconds: float, log: Callable[[str], None]) -> None:
        for number, name in enumerate(FROM_NOTHING, 1):
            path = self.out / "teachers" / f"{name}-{number}.npz"
            if path.exists():
                continue
            plan = CoursePlan(
                seconds / len(FROM_NOTHING), rate=0.1, batch=512, strength=1.0, mix_share=0.5,
                seed=self._seed + number, large=True,
            )  # fmt: skip
            torch.manual_seed(plan.seed)
            student = Student(build(name, 15), "both", plan, self._device)
            self._course(path.stem, plan, {path.stem: student}, self._store()).hold(
                self._score, log
            )
            store(path, student.average)

    def _wide(self, seconds: float, log: Callable[[str], None]) -> None:
        """On a CPU: the newest wide teacher goes on, taught by all that is known.

        Answers are of the faces as they are, asked for once: to ask about each view would take
        longer than the training.
        """
        path = self.out / "teachers" / "wide.npz"
        if path.exists():
            return
        start = [one for one in self._earlier_teachers if one.stem.startswith("wide")]
        plan = CoursePlan(
            seconds,
            rate=1e-3,
            batch=min(128, len(self._training_faces.label)),
            strength=0.6,
            mix_share=0.15,
            seed=self._seed,
            frozen_modules=1 if start else 0,
        )
        torch.manual_seed(plan.seed)
        network = read_weights(start[-1]) if start else build("wide", 15)
        faces = self._store()
        faces.set_targets(*self._answers("before", self._earlier_teachers), plan.trust)
        student = Student(network, "both", plan, self._device)
        self._course("wide", plan, {"wide": student}, faces).hold(self._score, log)
        store(path, student.average)

    def _students(
        self, goals: dict[str, Goal], seconds: float, log: Callable[[str], None], ask: bool
    ) -> None:
        """All at once, from the same views; to `ask` teachers about each view wants a GPU."""
        gpu = self._device.type == "cuda"
        plan = CoursePlan(
            seconds,
            rate=4e-3 if gpu else 1e-3,
            batch=min(2048 if gpu else 128, len(self._training_faces.label)),
            mix_share=0.0,
            trust=(0.6, 0.7),
            seed=self._seed,
        )
        torch.manual_seed(plan.seed)
        students = {
            name: Student(self._start(name, goal), goal.truth, plan, self._device)
            for name, goal in goals.items()
        }
        faces, teachers = self._store(), [*self._earlier_teachers, *self.own_teachers()]
        ensemble = Ensemble(self._members(teachers), self._device, self._half) if ask else None
        if ensemble is None:
            faces.set_targets(*self._answers("after", teachers), plan.trust)
        self._course("students", plan, students, faces).hold(self._score, log, ensemble)
        for name, student in students.items():
            store(self.out / "students" / f"{name}.npz", student.average)

    def _start(self, name: str, goal: Goal) -> nn.Module:
        """What ships under that name if it is that network, or the newest wide teacher's head."""
        folder = self._packs / name
        if (folder / WEIGHTS_FILE).exists() and open_pack(str(folder))[0].network == goal.network:
            return from_pack(str(folder))
        wide = [
            p for p in [*self._earlier_teachers, *self.own_teachers()] if p.stem.startswith("wide")
        ]
        if goal.network == "wide" and wide:
            return cut(read_weights(wide[-1]), goal.truth)
        return build(goal.network, 8)

    def _members(self, teachers: list[Path]) -> list[Member]:
        return members(teachers, self._packs)

    def _answers(self, when: str, teachers: list[Path]) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 7) twice: what all that is known says of the training faces, kept in a file."""
        path = self.out / when / ANSWERS
        if not path.exists():
            ensemble = Ensemble(self._members(teachers), self._device, self._half)
            pixels = torch.from_numpy(self._training_faces.pixels).unsqueeze(1)
            ferplus, fer2013 = ensemble.of_faces(pixels)
            path.parent.mkdir(parents=True, exist_ok=True)
            halves = {"ferplus": ferplus.half().numpy(), "fer2013": fer2013.half().numpy()}
            partial = path.with_name("part-" + ANSWERS)
            np.savez_compressed(partial, **halves)
            partial.replace(path)
        extra = len(self._store()) - len(self._training_faces.label)
        with np.load(path) as archive:
            parts = [torch.from_numpy(archive[name]).float() for name in ("ferplus", "fer2013")]
        ferplus, fer2013 = (torch.cat([p, p.new_zeros(extra, 7)]).to(self._device) for p in parts)
        return ferplus, fer2013


def cut(both: nn.Module, truth: str) -> nn.Module:
    """A wide network with one of the two heads of one that knows both truths."""
    first = 7 if truth == "fer2013" else 0
    rows = [*range(first, first + 7), 14]
    state = {k: v[rows] if k.startswith("head.") else v for k, v in both.state_dict().items()}
    network = build("wide", 8)
    network.load_state_dict(state)
    return network.eval()
