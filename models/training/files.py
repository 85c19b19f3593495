"""Names of files that training writes and reads again."""

from __future__ import annotations

WEIGHTS_FILE = "weights.npz"
"""In a pack's folder: the float weights, which `explain` and `train --start` read."""
