"""How sure a share is, by the number of faces behind it."""

from __future__ import annotations

import math

Z95 = 1.96


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's interval for a share of `n` faces (J. Am. Stat. Assoc. 22, 1927)."""
    z2 = Z95**2 / n
    middle = (share + z2 / 2) / (1 + z2)
    half = Z95 / (1 + z2) * math.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
