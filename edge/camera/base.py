"""The camera seam: what roommood needs of any source of frames."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Grey: TypeAlias = "NDArray[np.uint8]"
"""(height, width) luma, 0..255."""


class Camera(Protocol):
    """A source of grey frames. Faults that may pass raise CameraFault, lasting ones UserError."""

    def open(self) -> None: ...

    def read(self) -> Grey:
        """Waits for the next frame; the caller may overwrite it."""
        ...

    def close(self) -> None:
        """Frees the device; safe to call twice, and before `open`."""
        ...
