"""The mini-Xception network, as published (Arriaga et al., arXiv 1710.07557).

Grey input, two plain convolutions, four residual modules of depthwise-separable convolutions,
then a convolution down to one plane per label and global average pooling: no dense layer.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

INPUT_SIZE = 48
"""Side of the square grey input, pixels."""


def _conv_bn(
    channels_in: int, channels_out: int, kernel: int, stride: int, pad: int
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, pad, bias=False),
        nn.BatchNorm2d(channels_out, momentum=0.05),
    )


def _separable(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, 3, padding=1, groups=channels_in, bias=False),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
        nn.BatchNorm2d(channels_out, momentum=0.05),
    )


class Residual(nn.Module):
    """Two separable convolutions and a pooling, beside a strided 1x1 shortcut."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.shortcut = _conv_bn(channels_in, channels_out, 1, 2, 0)
        self.first = _separable(channels_in, channels_out)
        self.second = _separable(channels_out, channels_out)
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        body = self.second(torch.relu(self.first(x)))
        return self.pool(body) + self.shortcut(x)


class MiniXception(nn.Module):
    """(N, 1, 48, 48) float in -1..1 to (N, labels) logits.

    `stem` and `widths` default to the published sizes: 8, then 16, 32, 64, 128.
    """

    def __init__(
        self, labels: int, stem: int = 8, widths: tuple[int, ...] = (16, 32, 64, 128)
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv_bn(1, stem, 3, 1, 0), nn.ReLU(), _conv_bn(stem, stem, 3, 1, 0), nn.ReLU()
        )
        sizes = (stem, *widths)
        self.blocks = nn.Sequential(*(Residual(a, b) for a, b in itertools.pairwise(sizes)))
        self.head = nn.Conv2d(widths[-1], labels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x))).mean(dim=(2, 3))
