"""What a network is trained on: crops and, for each, what it should answer.

A target has a share for every label of every truth, then one number that says whether it is a face
at all. A face that a truth says nothing about, and what is no face, have shares of nought there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edge.common.errors import UserError
from models.data.faces import Faces

Truth = Literal["ferplus", "fer2013", "own", "both"]
"""Whose answer is right. `both` teaches FER+'s votes and FER2013's labels side by side."""


@dataclass(frozen=True)
class Samples:
    """pixels: (N, 1, 48, 48) uint8. targets: (N, heads * labels + 1) float32."""

    pixels: Tensor
    targets: Tensor
    labels: int

    @property
    def outputs(self) -> int:
        return int(self.targets.shape[1])


def one_hot(faces: Faces) -> Tensor:
    return functional.one_hot(torch.from_numpy(faces.label), len(faces.labels)).float()


def votes(faces: Faces) -> Tensor:
    """(N, labels) shares of the people who chose a label; nought where too few did."""
    agreement = torch.from_numpy(faces.has_majority()).unsqueeze(1)
    assert faces.votes is not None  # agreed() has refused faces without votes
    counts = torch.from_numpy(faces.votes)
    return counts / counts.sum(1, keepdim=True).clamp(min=1) * agreement


def shares_of(faces: Faces, truth: Truth) -> Tensor:
    """(N, labels), or (N, 2 * labels) for `both`: votes first, then labels."""
    if truth == "ferplus":
        return votes(faces)
    return torch.cat([votes(faces), one_hot(faces)], 1) if truth == "both" else one_hot(faces)


def samples(
    faces: Faces,
    truth: Truth,
    negatives: Path | None = None,
    keep_unsure: bool = False,
    weights: Tensor | None = None,
) -> Samples:
    """Faces with their shares, then the crops of `negatives`, which are none.

    Faces on which too few people agreed are left out unless `keep_unsure`: a teacher can say what
    the votes do not. `weights` (N,) scale the shares of each face, and so its part in the loss.
    """
    shares = shares_of(faces, truth)
    if weights is not None:
        shares = shares * weights.unsqueeze(1)
    face = torch.ones(len(shares), 1)
    if faces.not_face is not None:
        face[torch.from_numpy(faces.not_face)] = 0
        shares = shares * face
    pixels = torch.from_numpy(faces.pixels).unsqueeze(1)
    if not keep_unsure:
        mask = (shares.sum(1) > 0) | (face[:, 0] == 0)
        pixels, shares, face = pixels[mask], shares[mask], face[mask]
    targets = torch.cat([shares, face], 1)
    if negatives is not None:
        none = torch.from_numpy(crops(negatives)).unsqueeze(1)
        pixels = torch.cat([pixels, none])
        targets = torch.cat([targets, torch.zeros(len(none), targets.shape[1])])
    return Samples(pixels, targets, len(faces.labels))


def crops(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(N, 48, 48) from an .npz of `python -m models.training.negatives`; raises UserError."""
    try:
        with np.load(path) as archive:
            pixels = archive["pixels"]
    except (OSError, ValueError, KeyError) as error:
        remedy = "run `python -m models.training.negatives`"
        raise UserError(f"no crops ({error})", path, f"{remedy}") from None
    return np.asarray(pixels, np.uint8)


def loss(logits: Tensor, targets: Tensor, labels: int) -> Tensor:
    """Cross-entropy per truth, over the faces, plus that of being a face, over all."""
    heads = (targets.shape[1] - 1) // labels
    total = functional.binary_cross_entropy_with_logits(logits[:, -1], targets[:, -1])
    for head in range(heads):
        at = slice(head * labels, (head + 1) * labels)
        total = total + functional.cross_entropy(logits[:, at], targets[:, at])
    return total
