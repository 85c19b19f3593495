"""What a room does to a face, applied to a batch of training faces.

Crops that are off, small turns, mirror images, dim and uneven light, low resolution and
noise: a detector's box is never the tight, well-lit crop of a data set.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def warp(faces: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 1, H, W) to the same: each face mirrored, turned, scaled and shifted at random."""
    n = len(faces)

    def spread(width: float) -> Tensor:
        return (torch.rand(n, generator=rng) * 2 - 1) * width

    angle = spread(math.radians(10))
    scale = 1 + spread(0.12)
    mirror = torch.where(torch.rand(n, generator=rng) < 0.5, -1.0, 1.0)
    rows = [
        torch.stack([mirror * scale * angle.cos(), -scale * angle.sin(), spread(0.08)], 1),
        torch.stack([mirror * scale * angle.sin(), scale * angle.cos(), spread(0.08)], 1),
    ]
    grid = functional.affine_grid(
        torch.stack(rows, 1).to(faces.device), list(faces.shape), align_corners=False
    )
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def light(faces: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 1, H, W) in 0..1: random gain, offset and gamma, and a slope of light across the face."""
    n, _, height, width = faces.shape
    gain = torch.empty(n, 1, 1, 1).uniform_(0.6, 1.2, generator=rng)
    offset = torch.empty(n, 1, 1, 1).uniform_(-0.1, 0.1, generator=rng)
    gamma = torch.empty(n, 1, 1, 1).uniform_(-0.25, 0.25, generator=rng).exp()
    slope = torch.empty(n, 2, 1, 1).uniform_(-0.15, 0.15, generator=rng)
    down = torch.linspace(-1, 1, height).view(1, height, 1)
    across = torch.linspace(-1, 1, width).view(1, 1, width)
    ramp = (slope[:, :1] * down + slope[:, 1:] * across).to(faces.device)
    lit = faces.clamp(0, 1) ** gamma.to(faces.device)
    return (lit * gain.to(faces.device) + offset.to(faces.device) + ramp).clamp(0, 1)


def blur(faces: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 1, H, W): a quarter of the faces seen at 16 to 40 pixels, and all with noise."""
    size = int(torch.randint(16, 41, (1,), generator=rng))
    side = list(faces.shape[-2:])
    few = len(faces) // 4
    small = functional.interpolate(faces[:few], size=(size, size), mode="area")
    coarse = functional.interpolate(small, size=side, mode="bilinear", align_corners=False)
    seen = torch.cat([coarse, faces[few:]])
    sigma = torch.empty(len(faces), 1, 1, 1).uniform_(0, 0.03, generator=rng)
    noise = torch.randn(seen.shape, generator=rng) * sigma
    return (seen + noise.to(faces.device)).clamp(0, 1)


def augment(faces: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 1, 48, 48) grey in 0..1 to the same, changed at random; `rng` makes it repeatable."""
    return blur(light(warp(faces, rng), rng), rng)
