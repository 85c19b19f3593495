"""A run: a folder with the settings that decided it, its checkpoint, curve and best weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from edge.common.errors import UserError
from models.training.network import Name, build
from models.training.samples import Truth

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.pt"
SETTINGS = "settings.json"
CURVE = "curve.json"


@dataclass(frozen=True)
class Settings:
    """All that decides a run, written into its folder; a resumed run must match it."""

    data: str
    truth: Truth | None = None
    network: Name = "standard"
    epochs: int = 40
    batch: int = 128
    rate: float = 4e-3
    mixup: float = 0.0
    strength: float = 1.0
    seed: int = 1
    votes: str | None = None
    negatives: str | None = None
    teacher: tuple[str, ...] = ()
    trust: float = 0.5
    start: str | None = None
    groups: str | None = None
    labels: tuple[str, ...] = ()
    fold: str | None = None


def read_settings(run: Path) -> Settings:
    """The settings in a run's folder; raises UserError where there are none."""
    try:
        content = json.loads((run / SETTINGS).read_text(encoding="utf-8"))
        tuples = {name: tuple(content[name] or ()) for name in ("labels", "teacher")}
        return Settings(**(content | tuples))
    except (OSError, ValueError, TypeError, KeyError):
        raise UserError("contains no run", run, "make one with `roommood model train`") from None


def outputs(settings: Settings) -> int:
    """The network's: a share of each label for each truth, and whether it is a face."""
    return (2 if settings.truth == "both" else 1) * len(settings.labels) + 1


def load_network(run: Path) -> tuple[nn.Module, Settings]:
    """The best network of a run, ready to answer; raises UserError for a run without an epoch."""
    settings = read_settings(run)
    try:
        weights = torch.load(run / WEIGHTS, weights_only=True, map_location="cpu")
    except OSError:
        raise UserError("contains no finished epoch", run, "run `roommood model train`") from None
    network = build(settings.network, outputs(settings))
    network.load_state_dict(weights)
    return network.eval(), settings


def claim(out: Path, settings: Settings) -> None:
    """Writes the settings into the run's folder, or refuses a folder that had others.

    A setting that a folder of an earlier version does not name had its default.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / SETTINGS
    if path.exists() and read_settings(out) != settings:
        raise UserError("contains a run with other settings", out, "choose another --out")
    path.write_text(json.dumps(asdict(settings), indent=1) + "\n", encoding="utf-8")
