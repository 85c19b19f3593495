"""What all networks that are known say together: the teacher of those that come next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from edge.common.errors import UserError
from edge.vision.pack import PACK_FILE, open_pack
from models.training.files import WEIGHTS_FILE
from models.training.saved_networks import from_pack, read_weights

BATCH = 512


class Member(NamedTuple):
    """A network that is ready to answer, and the truth that it learnt: `both` for two heads."""

    network: nn.Module
    truth: str


def store(path: Path, network: nn.Module) -> None:
    """Writes half-precision weights, all at once; a teacher of 6.3 million takes 12 MB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        key: (value.half() if value.is_floating_point() else value).cpu().numpy()
        for key, value in network.state_dict().items()
    }
    partial = path.with_name(f"{path.stem}.part.npz")
    np.savez_compressed(partial, **state)
    partial.replace(path)


def members(teachers: Iterable[Path], packs: Path) -> list[Member]:
    """The networks of weights files, then those of the packs that have float weights."""
    pool = [Member(read_weights(path), "both") for path in teachers]
    for description in sorted(packs.glob(f"*/{PACK_FILE}")):
        if (description.parent / WEIGHTS_FILE).exists():
            folder = str(description.parent)
            pool.append(Member(from_pack(folder), open_pack(folder)[0].truth))
    return pool


class Ensemble:
    """Networks that answer together, on one device."""

    def __init__(self, members: list[Member], device: torch.device, half: bool) -> None:
        if not {"both"} & {member.truth for member in members}:
            truths = {member.truth for member in members}
            if not {"ferplus", "fer2013"} <= truths:
                raise UserError(
                    "no teacher for both truths", "teacher", "name a weights file or both packs"
                )
        self._half = half
        self._device = device
        self._members = [
            Member(network.eval().to(device, memory_format=torch.channels_last), truth)
            for network, truth in members
        ]

    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 7) shares of FER+'s labels and of FER2013's, for (N, 1, 48, 48) in -1..1.

        Each network looks at the view and at its mirror image; logarithms are averaged.
        """
        with torch.no_grad():
            return self._answers(pixels)

    def _answers(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        outputs: dict[str, list[Tensor]] = {"ferplus": [], "fer2013": []}
        for network, truth in self._members:
            for face in (pixels, pixels.flip(3)):
                with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
                    logits = network(face)
                for head, name in enumerate(outputs if truth == "both" else (truth,)):
                    part = logits[:, head * 7 : head * 7 + 7].float()
                    outputs[name].append(part.log_softmax(1))
        ferplus, fer2013 = (torch.stack(parts).mean(0).softmax(1) for parts in outputs.values())
        return ferplus, fer2013

    def of_faces(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """The same for (N, 1, 48, 48) uint8, as they are, in batches."""
        parts = [
            self((x.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last))
            for x in faces.split(BATCH)
        ]
        ferplus, fer2013 = (torch.cat(column) for column in zip(*parts, strict=True))
        return ferplus, fer2013
