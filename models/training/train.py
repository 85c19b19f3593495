"""Training: seeded, resumable, with or without a teacher, the best weights kept.

Learns from the FER+ votes by default, as shares of ten people rather than one hard label, because
a room needs what people see (Barsoum et al., arXiv 1608.01041).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from edge.common.errors import UserError
from models.data.faces import LABELS, Faces
from models.data.sources import splits
from models.measure.evaluate import Scores, per_fold, score_against
from models.training.augment import augment
from models.training.distil import student_targets, teachers, view
from models.training.network import build
from models.training.reweigh import balance
from models.training.runs import CHECKPOINT, CURVE, WEIGHTS, Settings, claim
from models.training.samples import Truth, loss, samples
from models.training.saved_networks import restore

VIEWS = 40
"""Epochs after which a student sees the same augmented faces again."""


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the machine multiplies bfloat16 in hardware: then an epoch takes half as long."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return bool({"amx_bf16", "avx512_bf16", "bf16"} & set(flags))


def logits_of(network: nn.Module, faces: Faces, device: torch.device) -> Tensor:
    """(N, outputs) of faces as they are, in the arithmetic and layout that training uses."""
    network.eval()
    pixels = torch.from_numpy(faces.pixels).unsqueeze(1)
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device)),
    ):
        parts = [
            network(
                (x.to(device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            )
            for x in pixels.split(256)
        ]
    return torch.cat(parts).float().cpu()


def accuracies(
    network: nn.Module, held_out: Faces, truth: Truth, device: torch.device
) -> dict[str, float]:
    """The share of faces whose likeliest label is the truth's, for each truth that is taught."""
    logits = logits_of(network, held_out, device)
    scores: dict[str, float] = {}
    count = len(held_out.labels)
    for head, name in enumerate(("ferplus", "fer2013") if truth == "both" else (truth,)):
        answers = logits[:, head * count : (head + 1) * count].argmax(1)
        targets = samples(held_out, name, keep_unsure=True).targets[:, :-1]
        mask = targets.sum(1) > 0
        scores[name] = float((answers == targets.argmax(1))[mask].float().mean())
    return scores


class Trainer:
    """One run in one folder."""

    def __init__(self, out: Path, settings: Settings) -> None:
        faces, self.held_out = splits(
            Path(settings.data), Path(settings.votes) if settings.votes else None, settings.seed
        )
        truth = settings.truth or (
            "ferplus" if faces.votes is not None else "fer2013" if faces.labels == LABELS else "own"
        )
        self.settings = settings = replace(settings, labels=faces.labels, truth=truth)
        if settings.fold:
            if settings.teacher:
                raise UserError(
                    "a teacher has seen the held-out faces",
                    "--folds",
                    "leave out --folds or --teacher",
                )
            part, of = map(int, settings.fold.split("/"))
            order = np.random.default_rng(settings.seed).permutation(len(faces.label))
            self.held_out = faces.only(order[part::of])
            faces = faces.only(np.setdiff1d(order, order[part::of]))
        self.training_samples = samples(
            faces,
            truth,
            Path(settings.negatives) if settings.negatives else None,
            keep_unsure=bool(settings.teacher) or truth == "both",
            weights=balance(faces, Path(settings.groups)) if settings.groups else None,
        )
        self.out = out
        claim(out, settings)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.half = fast_bfloat16(self.device)
        torch.manual_seed(settings.seed)
        network = build(settings.network, self.training_samples.outputs)
        if settings.start:
            _start(network, settings.start)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.average = AveragedModel(self.network, avg_fn=_smooth, use_buffers=True)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.rate, weight_decay=0.01
        )
        # Few pictures of one's own are one batch; batches fit what there is.
        self.batch = min(settings.batch, len(self.training_samples.pixels))
        self.steps = len(self.training_samples.pixels) // self.batch
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.rate, total_steps=settings.epochs * self.steps, pct_start=0.1
        )
        self.teachers = teachers(settings, self.training_samples, out.parent, self.device)
        self.curve: list[dict[str, float]] = []
        # Inductor needs a compiler, which not every machine has; what it computes is the same.
        self.forward: Callable[[Tensor], Tensor] = self.network
        if settings.network.startswith("teacher") and shutil.which("g++"):
            self.forward = torch.compile(self.network)

    def resume(self) -> int:
        """Goes on after the last finished epoch, and returns how many there were."""
        path = self.out / CHECKPOINT
        if path.exists():
            checkpoint = torch.load(path, weights_only=True)
            for name, part in self._parts().items():
                part.load_state_dict(checkpoint[name])
            self.curve = checkpoint["curve"]
        return len(self.curve)

    def epoch(self, tick: Callable[[], None]) -> dict[str, float]:
        """One pass over the faces, scored on those held out, and written to the folder."""
        start = time.monotonic()
        number = len(self.curve)
        rng = torch.Generator().manual_seed(self.settings.seed * 1000 + number)
        order = torch.randperm(len(self.training_samples.pixels), generator=rng)
        pixels, targets, is_augmented = self._view(number)
        self.network.train()
        total = 0.0
        for step in range(self.steps):
            rows = order[step * self.batch : (step + 1) * self.batch]
            x = pixels[rows].to(self.device).float() / 255
            x = x if is_augmented else augment(x, rng, self.settings.strength)
            y = targets[rows].to(self.device)
            if self.settings.mixup:
                x, y = self._mix(x, y, rng)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
                logits = self.forward((x * 2 - 1).contiguous(memory_format=torch.channels_last))
            wrong = loss(logits.float(), y, self.training_samples.labels)
            self.optimizer.zero_grad()
            wrong.backward()
            self.optimizer.step()
            self.schedule.step()
            self.average.update_parameters(self.network)
            total += wrong.item()
            tick()
        scores = accuracies(self.average, self.held_out, self.settings.truth or "own", self.device)
        self.curve.append(
            {"loss": total / self.steps, **scores, "seconds": time.monotonic() - start}
        )
        self._keep()
        return self.curve[-1]

    def best(self) -> float:
        """The highest accuracy on the held-out faces; the mean of both truths where both count."""
        return max(self._score(point) for point in self.curve)

    def answers(self) -> Scores:
        """What the network of the last epoch says of the faces held out, beside the truth."""
        truth = self.settings.truth or "own"
        logits = logits_of(self.average, self.held_out, self.device)
        shares = torch.softmax(logits[:, : self.training_samples.labels], 1).numpy()
        return score_against(self.held_out, shares, truth)

    def _score(self, point: dict[str, float]) -> float:
        truth = str(self.settings.truth)
        return (point["ferplus"] + point["fer2013"]) / 2 if truth == "both" else point[truth]

    def _view(self, number: int) -> tuple[Tensor, Tensor, bool]:
        if self.teachers is None:
            return self.training_samples.pixels, self.training_samples.targets, False
        pixels, logits = view(
            self.teachers, self.training_samples, number % VIEWS, self.device, self.half
        )
        head = 1 if self.teachers.both and self.settings.truth == "fer2013" else 0
        targets = student_targets(
            self.training_samples.targets,
            logits,
            self.training_samples.labels,
            head,
            self.settings.trust,
        )
        return pixels, targets, True

    def _mix(self, x: Tensor, y: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Half of the batches blended in pairs (Zhang et al., arXiv 1710.09412)."""
        share, often = torch.rand(2, generator=rng)
        if often < 0.5:
            return x, y
        share = 1 - share * self.settings.mixup
        other = torch.randperm(len(x), generator=rng)
        return x * share + x[other] * (1 - share), y * share + y[other] * (1 - share)

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
        }

    def _keep(self) -> None:
        if self._score(self.curve[-1]) >= self.best():
            torch.save(self.average.module.state_dict(), self.out / WEIGHTS)
        state = {name: part.state_dict() for name, part in self._parts().items()}
        partial = self.out / (CHECKPOINT + ".part")
        torch.save({**state, "curve": self.curve}, partial)
        partial.replace(self.out / CHECKPOINT)
        (self.out / CURVE).write_text(json.dumps(self.curve, indent=1) + "\n", encoding="utf-8")


def _smooth(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
    """A moving average of the weights over about 500 steps, shorter at the start of the run."""
    decay = min(0.998, (1 + int(updates)) / (10 + int(updates)))
    return average * decay + current * (1 - decay)


def _start(network: nn.Module, where: str) -> None:
    """Takes over the weights of another run or pack, except those of outputs that differ."""
    other, mine = restore(where).network.state_dict(), network.state_dict()
    weights = {k: v for k, v in other.items() if k in mine and mine[k].shape == v.shape}
    if len(weights) < len(mine) // 2:
        raise UserError("a network of another shape", where, "use a run of the same --network")
    network.load_state_dict(weights, strict=False)


@contextlib.contextmanager
def bar(total: int, title: str) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, where people see it."""
    from tqdm import tqdm

    with tqdm(total=total, desc=title, leave=False, unit="batch") as progress:

        def tick() -> None:
            progress.update()

        yield tick


def train(out: Path, settings: Settings, log: Callable[[str], None]) -> float:
    """Trains, or resumes, in the folder `out`; returns the best accuracy on the faces held out.

    Raises UserError for data that cannot be used, or a folder whose run had other settings.
    """
    return _train(out, settings, log).best()


def _train(out: Path, settings: Settings, log: Callable[[str], None]) -> Trainer:
    from models.measure.pictures import curve

    run = Trainer(out, settings)
    epochs = run.resume()
    if epochs:
        log(f"resumed after epoch {epochs}")
    for number in range(epochs + 1, settings.epochs + 1):
        with bar(run.steps, f"epoch {number}/{settings.epochs}") as tick:
            point = run.epoch(tick)
        log(
            f"epoch {number}/{settings.epochs}: "
            + ", ".join(f"{key} {value:.4f}" for key, value in point.items())
        )
        curve(run.curve, out / "curve.png")
    return run


def cross_validate(
    out: Path, settings: Settings, folds: int, log: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Trains once per fold of the training faces, in folders of `out`; the rest is untouched.

    Returns the figures of each fold (`models.measure.evaluate.per_fold`), of the network after the
    last epoch: the best epoch would be chosen on the fold that it is reported on.
    """
    scores = []
    for part in range(folds):
        log(f"fold {part + 1}/{folds}")
        run = _train(out / f"fold-{part}", replace(settings, fold=f"{part}/{folds}"), log)
        scores.append(run.answers())
    return [per_fold(one) for one in scores]
