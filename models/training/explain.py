"""Where in a face an answer comes from.

Beside each face: a class activation map (Zhou et al., arXiv 1512.04150), which mini-Xception has
ready, since its last planes are averaged into the answer; and guided back-propagation
(Springenberg et al., arXiv 1412.6806), the input's gradient where only evidence for the answer is
let through. They show what the network looks at, not that it is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from edge.camera import PICTURES
from edge.common.errors import UserError
from edge.vision.interpreter import stretch
from edge.vision.pack import open_pack
from models.data.faces import Faces
from models.data.sources import load, picture
from models.measure.pictures import figure
from models.training.network import MiniXception
from models.training.saved_networks import from_pack


class _GuidedReLU(torch.autograd.Function):
    """A rectifier whose gradient passes only where input and gradient are both positive."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        signal: Tensor = gradient.clamp(min=0) * (x > 0)
        return signal


@contextmanager
def guide_rectifiers() -> Iterator[None]:
    """While it lasts every rectifier of torch is a guided one."""
    plain, module = torch.relu, nn.ReLU.forward
    torch.relu = _GuidedReLU.apply
    nn.ReLU.forward = lambda _self, x: _GuidedReLU.apply(x)
    try:
        yield
    finally:
        torch.relu, nn.ReLU.forward = plain, module


def maps(
    network: nn.Module, pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """For faces (N, 48, 48): answers (N,), activation maps and guided gradients in 0..1.

    Raises UserError for a network that has no planes to show.
    """
    if not isinstance(network, MiniXception):
        raise UserError("only mini-Xception can be explained", "model", "use one of its packs")
    x = torch.from_numpy(pixels).unsqueeze(1).float() / 127.5 - 1
    with torch.no_grad():
        planes = network.planes(x)
    answers = planes[:, :-1].mean((2, 3)).argmax(1)
    rows = torch.arange(len(x))
    wide = functional.interpolate(
        planes[rows, answers].unsqueeze(1), size=x.shape[-2:], mode="bicubic", align_corners=False
    )[:, 0]
    leaf = x.clone().requires_grad_()
    with guide_rectifiers():
        network(leaf)[rows, answers].sum().backward()
    gradients = leaf.grad
    assert gradients is not None  # backward() has just made them
    return answers.numpy(), _scale(wide), _scale(gradients[:, 0].abs())


def _scale(values: Tensor) -> NDArray[np.float32]:
    low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    result: NDArray[np.float32] = ((values - low) / (high - low + 1e-9)).numpy()
    return result


def choose(faces: Faces, samples: int) -> NDArray[np.intp]:
    """The first `samples` faces of each class."""
    return np.concatenate(
        [np.flatnonzero(faces.label == at)[:samples] for at in range(len(faces.labels))]
    )


def draw(which: str, data: Path, usage: str | None, out: Path, samples: int) -> int:
    """Writes a picture with a row per face, or three faces to a row in a grid; returns how many."""
    pack, _ = open_pack(which)
    network = from_pack(which)
    if data.suffix.lower() in PICTURES:
        pixels, titles = picture(data)[np.newaxis], [data.name]
    else:
        faces = load(data, usage)
        rows = choose(faces, samples)
        pixels = faces.pixels[rows]
        titles = [faces.labels[at] for at in faces.label[rows]]
    inputs = stretch(pixels, pack.input.least_contrast)
    answers, activation, gradient = maps(network, inputs)
    across = min(samples, len(pixels))
    down = -(-len(pixels) // across)
    chart = figure(3.3 * across, 1.35 * down)
    cells = chart.subplots(down, 3 * across, squeeze=False)
    for axes in cells.flat:
        axes.axis("off")
    for at, (face, title) in enumerate(zip(pixels, titles, strict=True)):
        row, column = divmod(at, across)
        first, second, third = cells[row, 3 * column : 3 * column + 3]
        first.imshow(face, cmap="gray", vmin=0, vmax=255)
        first.set_title(title, fontsize=7)
        second.imshow(face, cmap="gray", vmin=0, vmax=255)
        second.imshow(activation[at], cmap="inferno", alpha=0.5)
        second.set_title(f"said {pack.labels[answers[at]]}", fontsize=7)
        third.imshow(gradient[at], cmap="gray")
    out.parent.mkdir(parents=True, exist_ok=True)
    chart.savefig(out)
    return len(pixels)
