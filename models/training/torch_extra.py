"""Whether what training needs is installed."""

from __future__ import annotations

from edge.common.errors import UserError

TRAIN_EXTRA = "pip install 'roommood[train]'"


def need_torch() -> None:
    """Raises UserError, naming the remedy, where PyTorch is not installed."""
    try:
        import torch  # noqa: F401 - only whether it is there
    except ImportError:
        raise UserError("PyTorch is missing", "training", TRAIN_EXTRA) from None
