"""The networks: mini-Xception in three sizes, and the larger teachers they learn from.

Mini-Xception (after Arriaga et al., arXiv 1710.07557): grey input, plain convolutions as a stem,
residual modules of depthwise-separable convolutions, then a convolution down to one plane per
output and global average pooling: no dense layer.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

INPUT_SIZE = 48
"""Side of the square grey input, pixels."""

Name = Literal["standard", "small", "wide", "teacher", "teacher-fine"]


def _conv_bn(channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out, momentum=0.05),
    )


def _separable(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, 3, padding=1, groups=channels_in, bias=False),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
        nn.BatchNorm2d(channels_out, momentum=0.05),
    )


class Residual(nn.Module):
    """Two separable convolutions beside a shortcut; halved by pooling where the width grows.

    Modules that keep the width are those of Xception's middle flow (Chollet, arXiv 1610.02357). The
    shortcut is averaged before it is halved, since a strided one drops three pixels of four (He et
    al., arXiv 1812.01187).
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        halve = channels_in != channels_out
        self.shortcut = (
            nn.Sequential(nn.AvgPool2d(2), _conv_bn(channels_in, channels_out, 1))
            if halve
            else nn.Identity()
        )
        self.first = _separable(channels_in, channels_out)
        self.second = _separable(channels_out, channels_out)
        self.pool = nn.MaxPool2d(3, 2, 1) if halve else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        body = self.second(torch.relu(self.first(x)))
        shortcut: Tensor = self.shortcut(x)
        return shortcut + self.pool(body)


class MiniXception(nn.Module):
    """(N, 1, 48, 48) float in -1..1 to (N, outputs) logits.

    `stem` are the planes of the two plain convolutions, the second of which halves; `widths` those
    of the modules.
    """

    def __init__(self, outputs: int, stem: tuple[int, int], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv_bn(1, stem[0], 3), nn.ReLU(), _conv_bn(stem[0], stem[1], 3, 2), nn.ReLU()
        )
        sizes = (stem[1], *widths)
        self.blocks = nn.Sequential(*(Residual(a, b) for a, b in zip(sizes, widths, strict=False)))
        self.head = nn.Conv2d(widths[-1], outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.planes(x).mean(dim=(2, 3))

    def planes(self, x: Tensor) -> Tensor:
        """(N, outputs, 3, 3): where in the face each output finds its evidence."""
        evidence: Tensor = self.head(self.blocks(self.stem(x)))
        return evidence


class PlainBlock(nn.Module):
    """Two plain 3x3 convolutions beside a shortcut (He et al., arXiv 1512.03385)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        same = stride == 1 and channels_in == channels_out
        self.shortcut = nn.Identity() if same else _conv_bn(channels_in, channels_out, 1, stride)
        self.first = _conv_bn(channels_in, channels_out, 3, stride)
        self.second = _conv_bn(channels_out, channels_out, 3)

    def forward(self, x: Tensor) -> Tensor:
        body = self.second(torch.relu(self.first(x)))
        return torch.relu(body + self.shortcut(x))


class Teacher(nn.Module):
    """A residual network of plain convolutions, many times the students' arithmetic.

    (N, 1, 48, 48) float in -1..1 to (N, outputs) logits. It never leaves the training machine. With
    a first stride of 1 it looks at every pixel longer, and is narrower for it.
    """

    def __init__(self, outputs: int, widths: tuple[int, ...], stride: int) -> None:
        super().__init__()
        parts: list[nn.Module] = [_conv_bn(1, widths[0], 3, stride), nn.ReLU()]
        before = widths[0]
        for width in widths:
            parts += [
                PlainBlock(before, width, 1 if width == before else 2),
                PlainBlock(width, width, 1),
            ]
            before = width
        self.body = nn.Sequential(*parts)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(before, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.dropout(self.body(x).mean(dim=(2, 3))))
        return out


def build(name: Name, outputs: int) -> MiniXception | Teacher:
    """A network by its name, with fresh weights."""
    if name == "teacher":
        return Teacher(outputs, (48, 96, 192, 384), 2)
    if name == "teacher-fine":
        return Teacher(outputs, (32, 64, 128, 256), 1)
    if name == "small":
        return MiniXception(outputs, (16, 24), (24, 40, 40, 72, 72, 92))
    if name == "wide":  # late planes are nearly free: about as fast as `standard`
        return MiniXception(outputs, (32, 48), (64, 64, 128, 128, 128, 256, 256, 384))
    return MiniXception(outputs, (24, 32), (32, 64, 64, 128, 128, 192))
