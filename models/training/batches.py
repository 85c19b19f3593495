"""All training faces on the device, with both truths, and batches of augmented views of them.

28,709 faces are 66 MB as bytes, so that nothing has to be fetched or copied while a network learns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.data.faces import Faces
from models.training.augment import augment
from models.training.samples import crops, one_hot, votes


@dataclass(frozen=True)
class Batch:
    """N views of faces: what is seen, and what it should be called.

    pixels: (N, 1, 48, 48) float in -1..1. ferplus, fer2013: (N, 7) shares that sum to one wherever
    the weight beside them is not nought. face: (N,) 1 for a face, 0 for none.
    """

    pixels: Tensor
    ferplus: Tensor
    fer2013: Tensor
    ferplus_weight: Tensor
    fer2013_weight: Tensor
    face: Tensor


class FaceStore:
    """Faces with FER+'s votes and FER2013's labels, then crops that are no face, on a device.

    pixels: (N, 1, 48, 48) uint8. Faces on which too few voters agreed carry no FER+ weight, and
    what most voters called no face carries none at all.
    """

    def __init__(self, faces: Faces, negatives: Path | None, device: torch.device) -> None:
        none = crops(negatives) if negatives else np.zeros((0, 48, 48), np.uint8)
        extra = len(none)

        def pad(values: Tensor) -> Tensor:
            return torch.cat([values, values.new_zeros(extra, *values.shape[1:])]).to(device)

        self.device = device
        self.pixels = torch.from_numpy(np.concatenate([faces.pixels, none])).unsqueeze(1).to(device)
        face = torch.ones(len(faces.label))
        if faces.not_face is not None:
            face[torch.from_numpy(faces.not_face)] = 0
        self.face = pad(face)
        shares = votes(faces)
        self.ferplus = pad(shares)
        self.ferplus_weight = pad((shares.sum(1) > 0) * face)
        self.fer2013 = pad(one_hot(faces))
        self.fer2013_weight = self.face

    def __len__(self) -> int:
        return len(self.pixels)

    def set_targets(self, ferplus: Tensor, fer2013: Tensor, trust: tuple[float, float]) -> None:
        """From now on targets are `trust` the answers (N, 7) given, and the rest the people's.

        Where people said too little the answers are all of it, and count for a whole face.
        """
        for name, answers, part in (("ferplus", ferplus, trust[0]), ("fer2013", fer2013, trust[1])):
            people, weight = getattr(self, name), getattr(self, f"{name}_weight")
            share = torch.where(weight > 0, part, 1.0).unsqueeze(1)
            setattr(self, name, (share * answers + (1 - share) * people) * self.face.unsqueeze(1))
            setattr(self, f"{name}_weight", self.face)

    def view(self, rows: Tensor, rng: torch.Generator, strength: float) -> Batch:
        """Those faces, in random order, changed at random as a room changes them."""
        pixels = augment(self.pixels[rows].float() / 255, rng, strength) * 2 - 1
        return Batch(
            pixels.contiguous(memory_format=torch.channels_last),
            self.ferplus[rows],
            self.fer2013[rows],
            self.ferplus_weight[rows],
            self.fer2013_weight[rows],
            self.face[rows],
        )


def cutmix(batch: Batch, share: float, rng: torch.Generator) -> Batch:
    """A square with `share` of the area of each view comes from another one, and so does that
    part of the answer (Yun et al., arXiv 1905.04899)."""
    count, _, side, _ = batch.pixels.shape
    width = max(1, round(side * share**0.5))
    remainder = 1 - (width / side) ** 2
    top, left = torch.randint(side + 1 - width, (2,), generator=rng, device=rng.device).tolist()
    other = torch.randperm(count, generator=rng, device=rng.device)
    square = (..., slice(top, top + width), slice(left, left + width))
    pixels = batch.pixels.clone()
    pixels[square] = batch.pixels[other][square]
    return Batch(
        pixels,
        batch.ferplus * remainder + batch.ferplus[other] * (1 - remainder),
        batch.fer2013 * remainder + batch.fer2013[other] * (1 - remainder),
        torch.minimum(batch.ferplus_weight, batch.ferplus_weight[other]),
        torch.minimum(batch.fer2013_weight, batch.fer2013_weight[other]),
        torch.minimum(batch.face, batch.face[other]),
    )


def loss(logits: Tensor, batch: Batch, truth: str) -> Tensor:
    """Cross-entropy over the faces that a truth speaks of, and whether each is a face, over all.

    `logits` (N, 8), or (N, 15) for `both` truths side by side, FER+'s first.
    """
    answers = {
        "ferplus": (batch.ferplus, batch.ferplus_weight),
        "fer2013": (batch.fer2013, batch.fer2013_weight),
    }
    total = 0.3 * functional.binary_cross_entropy_with_logits(logits[:, -1], batch.face)
    for head, name in enumerate(("ferplus", "fer2013") if truth == "both" else (truth,)):
        target, weight = answers[name]
        log_probabilities = functional.log_softmax(logits[:, head * 7 : head * 7 + 7], 1)
        total = total - ((target * log_probabilities).sum(1) * weight).sum() / weight.sum().clamp(
            min=1
        )
    return total
