"""Networks that learn together, by the clock: the same views of the faces serve all of them.

The learning rate follows the time that has passed, so that a slow machine costs epochs and never
the end of the schedule. What was stopped goes on with the time that was left.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.training.batches import Batch, FaceStore, cutmix, loss
from models.training.ensemble import Ensemble
from models.training.network import MiniXception
from models.training.samples import Truth

Score = Callable[[nn.Module, Truth], dict[str, float]]
"""Accuracies of a network that learnt a truth, by the names of truths."""

KEEP_EVERY_S = 120
SCORES = 12
"""How often networks are scored on the way: each costs a pass over the faces held out."""


@dataclass(frozen=True)
class CoursePlan:
    """How a course is held. seconds: how long. rate: the highest step size.

    strength, mixed: how much faces are changed, and the share of batches that are cut and mixed;
    for the last quarter faces are changed half as much, and not mixed. trust: how much of what is
    learnt of FER+ and of FER2013 is the teachers' answer.
    """

    seconds: float
    rate: float
    batch: int
    strength: float = 0.8
    mix_share: float = 0.35
    trust: tuple[float, float] = (0.55, 0.7)
    seed: int = 1
    large: bool = False
    """For teachers from nothing: plain descent with momentum instead of AdamW."""
    frozen_modules: int = 0
    """How many of a mini-Xception's first modules, and its stem, stay as they are: on a CPU they
    take most of the time, and have few of the weights."""


class Student:
    """A network with what it takes to train it. `truth`: ferplus, fer2013, or both."""

    def __init__(
        self, network: nn.Module, truth: Truth, plan: CoursePlan, device: torch.device
    ) -> None:
        self.truth = truth
        self._frozen_modules = plan.frozen_modules
        self.network = network.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.optimizer: torch.optim.Optimizer
        if plan.large:
            self.optimizer = torch.optim.SGD(
                network.parameters(), plan.rate, momentum=0.9, nesterov=True, weight_decay=5e-4
            )
        else:
            self.optimizer = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=0.02)
        self.steps = 0

    def learn(self, batch: Batch, rate: float, half: bool) -> Tensor:
        """One step; returns the loss, which stays on the device."""
        self.network.train()
        for part in self._still_modules():
            part.eval()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(batch.pixels.device.type, torch.bfloat16, enabled=half):
            logits = self._forward(batch.pixels)
        wrong = loss(logits.float(), batch, self.truth)
        self.optimizer.zero_grad(set_to_none=True)
        wrong.backward()
        self.optimizer.step()
        self.steps += 1
        self._follow()
        return wrong.detach()

    def _still_modules(self) -> list[nn.Module]:
        if not self._frozen_modules or not isinstance(self.network, MiniXception):
            return []
        return [self.network.stem, self.network.blocks[: self._frozen_modules]]

    def _forward(self, pixels: Tensor) -> Tensor:
        still_modules = self._still_modules()
        if not still_modules:
            answers: Tensor = self.network(pixels)
            return answers
        with torch.no_grad():
            for part in still_modules:
                pixels = part(pixels)
        planes: Tensor = self.network.head(self.network.blocks[self._frozen_modules :](pixels))
        return planes.mean(dim=(2, 3))

    def _follow(self) -> None:
        """Moves the average weights over some 500 steps, over fewer at the start."""
        decay = min(0.998, (1 + self.steps) / (10 + self.steps))
        # What is in a state is detached: no gradient is kept of this.
        means, values = [], []
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for mean, value in pairs:
            if mean.is_floating_point():
                means.append(mean)
                values.append(value)
            else:
                mean.copy_(value)
        get_ema_multi_avg_fn(decay)(means, values, self.steps)

    def state(self) -> dict[str, Any]:
        parts = {n: getattr(self, n).state_dict() for n in ("network", "average", "optimizer")}
        return parts | {"steps": self.steps}

    def restore(self, state: dict[str, Any]) -> None:
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.steps = state["steps"]


def rate_at(progress: float, highest: float, warm: float = 0.05) -> float:
    """The step size after that part of the time: up in a line, then down a cosine to nothing."""
    if progress < warm:
        return highest * progress / warm
    return highest * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warm) / (1 - warm))))


class Course:
    """One course in one folder, with its checkpoint and its curve."""

    def __init__(
        self,
        folder: Path,
        plan: CoursePlan,
        students: Mapping[str, Student],
        faces: FaceStore,
        half: bool,
    ) -> None:
        self._folder, self._plan, self._students, self._faces = folder, plan, students, faces
        self._half = half
        self._curve: list[dict[str, Any]] = []
        self._seconds = 0.0
        self._steps = 0
        self._order = torch.empty(0, dtype=torch.long, device=faces.device)
        folder.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists():
            checkpoint = torch.load(self._checkpoint, weights_only=True, map_location=faces.device)
            for name, student in students.items():
                student.restore(checkpoint["students"][name])
            self._seconds, self._steps, self._curve = (
                checkpoint["spent"],
                checkpoint["steps"],
                checkpoint["curve"],
            )

    @property
    def _checkpoint(self) -> Path:
        return self._folder / "checkpoint.pt"

    def hold(
        self,
        score: Score,
        log: Callable[[str], None],
        teachers: Ensemble | None = None,
    ) -> list[dict[str, Any]]:
        """Trains until the time is over, and returns the curve.

        `teachers` are asked about each view; without them, targets are what the faces carry.
        """
        plan = self._plan
        rng = torch.Generator(self._faces.device).manual_seed(plan.seed * 7919 + self._steps)
        chance = torch.Generator().manual_seed(plan.seed * 7919 + self._steps)
        before, start, last_save = self._seconds, time.monotonic(), time.monotonic()
        due = (int(self._seconds / plan.seconds * SCORES) + 1) / SCORES
        while True:
            self._seconds = before + time.monotonic() - start
            progress = self._seconds / plan.seconds
            if progress >= 1:
                break
            batch = self._next(rng, plan.strength * (1 if progress < 0.75 else 0.5))
            if teachers:
                batch = _add_answers(batch, teachers, plan.trust)
            often, share = torch.rand(2, generator=chance).tolist()
            if progress < 0.75 and often < plan.mix_share:
                batch = cutmix(batch, share, rng)
            for student in self._students.values():
                student.learn(batch, rate_at(progress, plan.rate), self._half)
            self._steps += 1
            if progress >= due:
                due += 1 / SCORES
                self._note(score, log, progress)
            if time.monotonic() - last_save > KEEP_EVERY_S:
                self._keep()
                last_save = time.monotonic()
        self._note(score, log, 1.0)
        self._keep()
        return self._curve

    def _next(self, rng: torch.Generator, strength: float) -> Batch:
        if len(self._order) < min(self._plan.batch, len(self._faces)):
            self._order = torch.randperm(len(self._faces), generator=rng, device=rng.device)
        rows, self._order = self._order[: self._plan.batch], self._order[self._plan.batch :]
        return self._faces.view(rows, rng, strength)

    def _note(
        self,
        score: Score,
        log: Callable[[str], None],
        progress: float,
    ) -> None:
        point: dict[str, Any] = {
            "progress": round(progress, 3),
            "epochs": round(self._steps * self._plan.batch / len(self._faces), 2),
        }
        for name, student in self._students.items():
            point[name] = score(student.average, student.truth)
        self._curve.append(point)
        log(json.dumps(point))

    def _keep(self) -> None:
        students = {name: student.state() for name, student in self._students.items()}
        partial = self._checkpoint.with_suffix(".part")
        rest = {"spent": self._seconds, "steps": self._steps, "curve": self._curve}
        torch.save({"students": students, **rest}, partial)
        partial.replace(self._checkpoint)
        text = json.dumps(self._curve, indent=1) + "\n"
        (self._folder / "curve.json").write_text(text, encoding="utf-8")


def _add_answers(batch: Batch, teachers: Ensemble, trust: tuple[float, float]) -> Batch:
    """The batch with what teachers say of just these views (Beyer et al., arXiv 2106.05237)."""
    targets: list[Tensor] = []
    answers = teachers(batch.pixels)
    people = ((batch.ferplus, batch.ferplus_weight), (batch.fer2013, batch.fer2013_weight))
    for answer, (votes, weight), part in zip(answers, people, trust, strict=True):
        share = torch.where(weight > 0, part, 1.0).unsqueeze(1)
        targets.append((share * answer + (1 - share) * votes) * batch.face.unsqueeze(1))
    return Batch(batch.pixels, targets[0], targets[1], batch.face, batch.face, batch.face)
