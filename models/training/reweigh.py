"""Weights that let every group of people count alike in training (Kamiran and Calders 2012).

Each face weighs as much as it would if group and label were independent: a label that a group
happens to have often counts less for that group, and the other way round.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.data.faces import Faces
from models.measure.groups import Groups

MOST = 10.0
"""No face counts for more than this many."""


def balance(faces: Faces, path: Path) -> Tensor:
    """(N,) weights with mean 1, for all groupings of the table together."""
    groups = Groups(path, faces)
    together = np.array(["/".join(parts) for parts in zip(*groups.columns.values(), strict=True)])
    group = np.unique(together, return_inverse=True)[1]
    cells = np.zeros((group.max() + 1, len(faces.labels)))
    np.add.at(cells, (group, faces.label), 1)
    # As if every group had as many faces as any other, and within it the labels of all.
    of_label = cells.sum(0) / cells.sum()
    target = of_label[faces.label] / len(cells)
    have = cells[group, faces.label] / cells.sum()
    weights = np.minimum(target / have, MOST)
    return torch.from_numpy((weights / weights.mean()).astype(np.float32))
