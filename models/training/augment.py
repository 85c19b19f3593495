"""What a room does to a face, applied to a batch of training faces.

Crops that are off, small turns, mirror images, glasses, things in front, dim and uneven light, few
pixels and noise: a detector's box is never the tight, well-lit crop of a data set.

All of it is work on whole batches. Random numbers are drawn where the generator is: with one on a
GPU nothing of it happens elsewhere.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

EYES = ((-0.36, -0.24), (0.36, -0.24))
"""Where the eyes of an upright face crop are, x and y in -1..1."""


def warp(faces: Tensor, rng: torch.Generator, strength: float = 1.0) -> Tensor:
    """(N, 1, H, W) to the same: each face mirrored, turned, scaled and shifted at random.

    Up to 18 degrees and a fifth of the box, as Haar's boxes are off, small amounts being likelier.
    """
    n = len(faces)

    def spread(most: float) -> Tensor:
        return (
            (
                torch.rand(n, generator=rng, device=rng.device)
                + torch.rand(n, generator=rng, device=rng.device)
                - 1
            )
            * most
            * strength
        )

    angle = spread(math.radians(18))
    scale = 1 + spread(0.2)
    mirror = torch.where(torch.rand(n, generator=rng, device=rng.device) < 0.5, -1.0, 1.0)
    rows = [
        torch.stack([mirror * scale * angle.cos(), -scale * angle.sin(), spread(0.2)], 1),
        torch.stack([mirror * scale * angle.sin(), scale * angle.cos(), spread(0.2)], 1),
    ]
    grid = functional.affine_grid(
        torch.stack(rows, 1).to(faces.device), list(faces.shape), align_corners=False
    )
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def glasses(faces: Tensor, rng: torch.Generator, share: float = 0.06) -> Tensor:
    """(N, 1, H, W): that share of the faces gets spectacles, of random size and tone."""
    n, _, height, width = faces.shape
    wearers = (torch.rand(n, 1, 1, 1, generator=rng, device=rng.device) < share).to(faces.device)
    y = torch.linspace(-1, 1, height, device=faces.device).view(1, 1, height, 1)
    x = torch.linspace(-1, 1, width, device=faces.device).view(1, 1, 1, width)
    size = (
        torch.empty(n, 1, 1, 1, device=rng.device)
        .uniform_(0.2, 0.3, generator=rng)
        .to(faces.device)
    )
    tone = (
        torch.empty(n, 1, 1, 1, device=rng.device).uniform_(0, 0.5, generator=rng).to(faces.device)
    )
    flat = (
        torch.empty(n, 1, 1, 1, device=rng.device).uniform_(1, 1.5, generator=rng).to(faces.device)
    )
    radii = torch.stack(
        [((x - ex) ** 2 + ((y - ey) * flat) ** 2).sqrt() / size for ex, ey in EYES]
    ).amin(0)
    bridge = (x.abs() < 0.36 - size) & ((y - EYES[0][1]).abs() < 0.05)
    frame = ((radii - 1).abs() < 0.14) | bridge
    return torch.where(wearers & frame, tone, faces)


def cover(faces: Tensor, rng: torch.Generator, share: float = 0.1) -> Tensor:
    """(N, 1, H, W): on that share of the faces a flat rectangle, as of a hand or a neighbour."""
    n, _, height, width = faces.shape
    hit = torch.rand(n, 1, 1, generator=rng, device=rng.device) < share
    centre = torch.rand(2, n, 1, 1, generator=rng, device=rng.device)
    half = torch.empty(2, n, 1, 1, device=rng.device).uniform_(0.05, 0.2, generator=rng)
    y = torch.linspace(0, 1, height, device=rng.device).view(1, height, 1)
    x = torch.linspace(0, 1, width, device=rng.device).view(1, 1, width)
    inside = ((y - centre[0]).abs() < half[0]) & ((x - centre[1]).abs() < half[1]) & hit
    tone = torch.rand(n, 1, 1, 1, generator=rng, device=rng.device).to(faces.device)
    return torch.where(inside.unsqueeze(1).to(faces.device), tone, faces)


def light(faces: Tensor, rng: torch.Generator, share: float = 0.6) -> Tensor:
    """(N, 1, H, W) in 0..1: three of five faces get another gain, offset, gamma and slope of light.

    The others stay as they are: with all of them changed, networks learnt the changes instead.
    """
    n, _, height, width = faces.shape
    as_is = torch.rand(n, 1, 1, 1, generator=rng, device=rng.device) < 1 - share
    gain = torch.empty(n, 1, 1, 1, device=rng.device).uniform_(0.5, 1.2, generator=rng)
    offset = torch.empty(n, 1, 1, 1, device=rng.device).uniform_(-0.1, 0.1, generator=rng)
    gamma = torch.empty(n, 1, 1, 1, device=rng.device).uniform_(-0.3, 0.3, generator=rng).exp()
    slope = torch.empty(n, 2, 1, 1, device=rng.device).uniform_(-0.15, 0.15, generator=rng)
    down = torch.linspace(-1, 1, height, device=rng.device).view(1, height, 1)
    across = torch.linspace(-1, 1, width, device=rng.device).view(1, 1, width)
    ramp = (slope[:, :1] * down + slope[:, 1:] * across).to(faces.device)
    lit = faces.clamp(0, 1) ** gamma.to(faces.device)
    variant = (lit * gain.to(faces.device) + offset.to(faces.device) + ramp).clamp(0, 1)
    return torch.where(as_is.to(faces.device), faces, variant)


def blur(faces: Tensor, rng: torch.Generator, share: float = 0.2) -> Tensor:
    """(N, 1, H, W): that share of the faces seen at 16 to 40 pixels, and all with noise."""
    side = list(faces.shape[-2:])
    few = int(len(faces) * share) // 2
    parts = []
    for part in (faces[:few], faces[few : 2 * few]):
        size = int(torch.randint(16, 41, (1,), generator=rng, device=rng.device))
        small = functional.interpolate(part, size=(size, size), mode="area")
        parts.append(functional.interpolate(small, size=side, mode="bilinear", align_corners=False))
    views = torch.cat([*parts, faces[2 * few :]])
    sigma = torch.empty(len(faces), 1, 1, 1, device=rng.device).uniform_(0, 0.03, generator=rng)
    noise = torch.randn(views.shape, generator=rng, device=rng.device) * sigma
    return (views + noise.to(faces.device)).clamp(0, 1)


def augment(faces: Tensor, rng: torch.Generator, strength: float = 1.0) -> Tensor:
    """(N, 1, 48, 48) grey in 0..1 to the same, changed at random; `rng` makes it repeatable.

    At less than full `strength` faces are moved less far, and fewer of them changed otherwise. The
    rows must be in random order: `blur` takes the first of them.
    """
    wearers = glasses(faces, rng, 0.06 * strength)
    occlusions = cover(warp(wearers, rng, strength), rng, 0.1 * strength)
    return blur(light(occlusions, rng, 0.6 * strength), rng, 0.2 * strength)
