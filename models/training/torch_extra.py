"""Whether what training needs is installed."""

from __future__ import annotations

from edge.common.errors import Refusal

TRAIN_EXTRA = "pip install 'roommood[train]'"


def need_torch() -> None:
    """Raises Refusal, naming the remedy, where PyTorch is not installed."""
    try:
        import torch  # noqa: F401 - only whether it is there
    except ImportError:
        raise Refusal(f"training needs PyTorch: {TRAIN_EXTRA}") from None
