"""A network with its float weights again: of a run, a pack that has them, or a weights file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor, nn

from edge.common.errors import UserError
from edge.vision.pack import PACK_FILE, PACKS, open_pack
from models.data.faces import LABELS
from models.training.files import WEIGHTS_FILE
from models.training.network import Name, build


def from_pack(where: str) -> nn.Module:
    """The network of a pack, ready to answer; raises UserError for a pack without float weights."""
    pack, _ = open_pack(where)
    folder = Path(where) if Path(where).exists() else PACKS / where
    path = folder / WEIGHTS_FILE
    if pack.network not in get_args(Name):
        raise UserError(
            "unknown network", folder, "use a pack that `roommood model quantize` wrote"
        )
    network = build(pack.network, len(pack.labels) + 1)  # type: ignore[arg-type]  # checked above
    try:
        with np.load(path) as arrays:
            state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}
        network.load_state_dict(state)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f"not the weights of this network ({error})", path, "quantize it again"
        ) from None
    return network.eval()


def read_weights(path: Path, outputs: int = 15, name: Name | None = None) -> nn.Module:
    """The network of a weights file: `name`, or what the file is called after, as `teacher-2.npz`.

    Raises UserError for a file that holds no such network.
    """
    names = [name] if name else [one for one in get_args(Name) if path.stem.startswith(one)]
    if not names:
        raise UserError(f"named after none of {', '.join(get_args(Name))}", path, "rename it")
    network = build(max(names, key=len), outputs)
    try:
        with np.load(path) as arrays:
            network.load_state_dict({key: _whole(arrays[key]) for key in arrays})
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"no weights of this network ({error})", path, "fetch it again") from None
    return network.eval()


def _whole(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
    return torch.from_numpy(array.astype(np.float32) if array.dtype == np.float16 else array)


class TrainedNetwork(NamedTuple):
    """A trained network, the labels it knows, and whose answers they are."""

    network: nn.Module
    labels: tuple[str, ...]
    truth: str | None


def restore(where: str) -> TrainedNetwork:
    """The network of a run's folder or of a pack; raises UserError for what is neither."""
    from models.training.runs import SETTINGS, load_network

    if where.endswith(".npz"):
        return TrainedNetwork(read_weights(Path(where)), LABELS, "both")
    if (Path(where) / SETTINGS).exists():
        network, settings = load_network(Path(where))
        return TrainedNetwork(network, settings.labels, settings.truth)
    if not (Path(where) / PACK_FILE).exists() and not (PACKS / where / PACK_FILE).exists():
        raise UserError("neither a run nor a pack", where, "give the folder or name of one of them")
    pack, _ = open_pack(where)
    return TrainedNetwork(from_pack(where), pack.labels, pack.truth)
