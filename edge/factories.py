"""The agent's optional parts, made from its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.config import AgentSettings, GpioSettings
from edge.kiosk.pages import Kiosk
from edge.kiosk.view import HERE, KioskView, templates
from edge.permission.gpio import NoPanel, Panel
from edge.permission.pin import FILE, Pin
from edge.protocol.messages import Command, Fitting
from edge.window.disclosure import DisclosureControl, SteadyDisclosure
from edge.window.noise import NoisyDisclosure


def control(settings: AgentSettings, labels: Sequence[str]) -> DisclosureControl:
    """What decides on disclosure: with noise where the settings ask for it."""
    limits = settings.disclosure
    if limits.noise is None:
        return SteadyDisclosure(limits.min_faces, limits.min_cell, limits.min_change)

    return NoisyDisclosure(
        settings.state / "budget.json",
        labels,
        epsilon=limits.noise.epsilon,
        lesson_s=limits.noise.lesson_minutes * 60,
        releases=limits.noise.releases,
        min_faces=limits.min_faces,
        min_cell=limits.min_cell,
    )


def fittings(settings: AgentSettings) -> tuple[Fitting, ...]:
    """What is in the room for the people there, as the settings have it."""
    pins = settings.gpio or GpioSettings()
    parts: dict[Fitting, object] = {"button": pins.button, "light": pins.led}
    parts["screen"] = settings.kiosk
    return tuple(name for name, setting in parts.items() if setting is not None)


def panel(pins: GpioSettings | None, on_press: Callable[[], None]) -> Panel | NoPanel:
    return Panel(pins.button, pins.led, on_press) if pins else NoPanel()


def kiosk(
    settings: AgentSettings, view: Callable[[], KioskView], press: Callable[[Command], None]
) -> Kiosk | None:
    if settings.kiosk is None:
        return None
    templates(HERE)  # refuses now, not at the first request, where Jinja is missing
    pin = Pin(settings.pin, path=settings.state / FILE) if settings.pin else None
    return Kiosk(settings.kiosk.port, settings.kiosk.language, view=view, press=press, pin=pin)


def parts_to_try(settings: AgentSettings, labels: Sequence[str]) -> dict[str, Callable[[], object]]:
    """For every optional part that the settings name, by its name, what builds it as `run` would
    and lets go of it; raises UserError where that cannot be done here.
    """
    parts: dict[str, Callable[[], object]] = {}
    if settings.disclosure.noise is not None and labels:  # those of the model, where it is there
        parts["noise"] = lambda: control(settings, labels)
    if settings.gpio is not None:
        parts["gpio"] = lambda: panel(settings.gpio, lambda: None).close()
    if settings.kiosk is not None or settings.pin is not None:
        parts["pages"] = lambda: templates(HERE)  # of the screen in the room, and the setup view
    return parts
