"""Figures of a device that would tell how many are in a room where that is withheld.

A frame with four faces takes longer than one with one, a slow machine then reads fewer of them,
and grows warmer. While a window's number of faces is withheld, what depends on it is left out or
coarse.
"""

from __future__ import annotations

from edge.protocol.messages import Health

DEGREES, MEGABYTES = 5, 50
"""The steps that are left of a temperature and of memory."""


def discreet(health: Health, nominal: float | None = None) -> Health:
    """As it may be known of a room; unchanged where the number of faces is known, or none seen.

    `nominal`: frames per second as the settings have it; unknown to a collector, which rounds.
    """
    if health.faces is not None or not health.frames_per_s:
        return health
    rough = max(1.0, float(round(health.frames_per_s))) if nominal is None else nominal
    return health.model_copy(
        update={
            "frames_per_s": rough,
            "ms_per_frame": None,
            "temperature_c": _floor(health.temperature_c, DEGREES),
            "memory_mb": _floor(health.memory_mb, MEGABYTES),
        }
    )


def _floor(value: float | None, step: int) -> float | None:
    return None if value is None else float(value // step * step)
