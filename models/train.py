"""Training of mini-Xception on labelled faces: seeded, resumable, the best weights kept.

Learns from the FER+ votes by default, as shares of ten people rather than one hard label, because
a room needs what people see (Barsoum et al., arXiv 1608.01041).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from edge.errors import Refusal
from models.augment import augment
from models.data import LABELS, Faces, load
from models.network import MiniXception

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.pt"
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Settings:
    """All that decides a run, written into its folder; a resumed run must match it."""

    data: str
    truth: str = "ferplus"
    epochs: int = 60
    batch: int = 128
    rate: float = 4e-3
    seed: int = 1


def targets(faces: Faces, truth: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The rows to use (N,) bool, and (N, 7) float32 label shares, for 'ferplus' or 'fer2013'."""
    if truth == "fer2013":
        return np.ones(len(faces.label), bool), np.eye(len(LABELS), dtype=np.float32)[faces.label]
    keep = faces.agreed()
    assert faces.votes is not None  # agreed() has refused faces without votes
    return keep, faces.votes / np.maximum(faces.votes.sum(axis=1, keepdims=True), 1)


def tensors(path: Path, truth: str) -> tuple[Tensor, Tensor]:
    """Faces (N, 1, 48, 48) in 0..1 and label shares (N, 7) from one .npz."""
    faces = load(path)
    keep, shares = targets(faces, truth)
    pixels = torch.from_numpy(faces.pixels[keep]).unsqueeze(1).float() / 255
    return pixels, torch.from_numpy(shares[keep])


def _smooth(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
    """A moving average of the weights over about 500 steps, shorter at the start of the run."""
    decay = min(0.998, (1 + int(updates)) / (10 + int(updates)))
    return average * decay + current * (1 - decay)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the machine multiplies bfloat16 in hardware: then an epoch takes half as long."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return bool({"amx_bf16", "avx512_bf16", "bf16"} & set(flags))


def accuracy(network: nn.Module, pixels: Tensor, shares: Tensor, device: torch.device) -> float:
    """The share of faces whose likeliest label is the truth's."""
    network.eval()
    with torch.inference_mode():
        hits = [
            (network(x.to(device) * 2 - 1).argmax(1).cpu() == y.argmax(1)).sum()
            for x, y in zip(pixels.split(512), shares.split(512), strict=True)
        ]
    return float(torch.stack(hits).sum()) / len(pixels)


def train(out: Path, settings: Settings, log: Callable[[str], None]) -> float:
    """Trains, or resumes, in the folder `out`; returns the best accuracy on public_test.

    `settings.data` is a folder with `train.npz` and `public_test.npz`. Raises Refusal for data
    that cannot be used, or a folder whose run had other settings.
    """
    source = Path(settings.data)
    pixels, shares = tensors(source / "train.npz", settings.truth)
    chosen_on = tensors(source / "public_test.npz", settings.truth)
    _claim(out, settings)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings.seed)
    network = MiniXception(len(LABELS)).to(device, memory_format=torch.channels_last)
    half = fast_bfloat16(device)
    average = AveragedModel(network, avg_fn=_smooth, use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.01)
    steps = len(pixels) // settings.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.rate, total_steps=settings.epochs * steps, pct_start=0.1
    )
    parts = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
    curve: list[dict[str, float]] = []
    if (out / CHECKPOINT).exists():
        saved = torch.load(out / CHECKPOINT, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        curve = saved["curve"]
        log(f"resumed after epoch {len(curve)}")
    for epoch in range(len(curve), settings.epochs):
        begun = time.monotonic()
        rng = torch.Generator().manual_seed(settings.seed * 1000 + epoch)
        order = torch.randperm(len(pixels), generator=rng)
        network.train()
        total = 0.0
        for step in range(steps):
            rows = order[step * settings.batch : (step + 1) * settings.batch]
            x = augment(pixels[rows].to(device), rng) * 2 - 1
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                logits = network(x.contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(logits.float(), shares[rows].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            total += loss.item()
        scored = accuracy(average, *chosen_on, device)
        curve.append({"loss": total / steps, "accuracy": scored})
        if scored >= max(point["accuracy"] for point in curve):
            torch.save(average.module.state_dict(), out / WEIGHTS)
        state = {name: part.state_dict() for name, part in parts.items()}
        partial = out / (CHECKPOINT + ".part")
        torch.save({**state, "curve": curve}, partial)
        partial.replace(out / CHECKPOINT)
        (out / "curve.json").write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
        log(
            f"epoch {epoch + 1}/{settings.epochs}: loss {total / steps:.3f}, "
            f"public_test {scored:.4f}, {time.monotonic() - begun:.0f} s"
        )
    return max(point["accuracy"] for point in curve)


def _claim(out: Path, settings: Settings) -> None:
    """Writes the settings into the run's folder, or refuses a folder that had others."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / SETTINGS
    text = json.dumps(asdict(settings), indent=1) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise Refusal(f"{out}: holds a run with other settings: give another --out")
    path.write_text(text, encoding="utf-8")
