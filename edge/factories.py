"""The agent's optional parts, made from its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.config import AgentSettings, GpioSettings
from edge.kiosk.pages import Kiosk
from edge.kiosk.view import HERE, KioskView, templates
from edge.permission.gpio import NoPanel, Panel
from edge.permission.pin import Pin
from edge.protocol.messages import Command
from edge.window.disclosure import DisclosureControl, SteadyDisclosure


def control(settings: AgentSettings, labels: Sequence[str]) -> DisclosureControl:
    """What decides on disclosure: with noise where the settings ask for it."""
    limits = settings.disclosure
    if limits.noise is None:
        return SteadyDisclosure(limits.min_faces, limits.min_cell, limits.min_change)
    from edge.window.noise import NoisyDisclosure

    return NoisyDisclosure(
        settings.state / "budget.json",
        labels,
        epsilon=limits.noise.epsilon,
        lesson_s=limits.noise.lesson_minutes * 60,
        releases=limits.noise.releases,
        min_faces=limits.min_faces,
        min_cell=limits.min_cell,
    )


def panel(pins: GpioSettings | None, pressed: Callable[[], None]) -> Panel | NoPanel:
    return Panel(pins.button, pins.led, pressed) if pins else NoPanel()


def kiosk(
    settings: AgentSettings, view: Callable[[], KioskView], press: Callable[[Command], None]
) -> Kiosk | None:
    if settings.kiosk is None:
        return None
    templates(HERE)  # refuses now, not at the first request, where Jinja is missing
    pin = Pin(settings.pin) if settings.pin else None
    return Kiosk(settings.kiosk.port, settings.kiosk.language, view=view, press=press, pin=pin)
