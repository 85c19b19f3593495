"""A network with its float weights again: from a run of `train`, or from a pack that has them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch
from torch import nn

from edge.common.errors import UserError
from edge.vision.pack import PACK_FILE, SHIPPED, open_pack
from models.data.faces import LABELS
from models.training.files import WEIGHTS_FILE
from models.training.network import Name, build


def from_pack(where: str) -> nn.Module:
    """The network of a pack, ready to answer; raises UserError for a pack without float weights."""
    pack, _ = open_pack(where)
    folder = Path(where) if Path(where).exists() else SHIPPED / where
    path = folder / WEIGHTS_FILE
    if pack.network not in get_args(Name):
        raise UserError(
            "unknown network", folder, "use a pack that `roommood model quantize` wrote"
        )
    network = build(pack.network, len(pack.labels) + 1)  # type: ignore[arg-type]  # checked above
    try:
        with np.load(path) as stored:
            state = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored}
        network.load_state_dict(state)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f"not the weights of this network ({error})", path, "quantize it again"
        ) from None
    return network.eval()


class TrainedNetwork(NamedTuple):
    """A trained network, the labels it knows, and whose answers they are."""

    network: nn.Module
    labels: tuple[str, ...]
    truth: str | None


def restored(where: str) -> TrainedNetwork:
    """The network of a run's folder or of a pack; raises UserError for what is neither."""
    from models.training.runs import SETTINGS, load_network

    if where.endswith(".npz"):
        from models.training.ensemble import stored

        return TrainedNetwork(stored(Path(where)), LABELS, "both")
    if (Path(where) / SETTINGS).exists():
        network, settings = load_network(Path(where))
        return TrainedNetwork(network, settings.labels, settings.truth)
    if not (Path(where) / PACK_FILE).exists() and not (SHIPPED / where / PACK_FILE).exists():
        raise UserError("neither a run nor a pack", where, "give the folder or name of one of them")
    pack, _ = open_pack(where)
    return TrainedNetwork(from_pack(where), pack.labels, pack.truth)
