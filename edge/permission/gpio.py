"""The button and the light on a device's pins, by gpiozero.

The same classes work on simulated pins (`GPIOZERO_PIN_FACTORY=mock`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.common.errors import UserError

BOUNCE_S = 0.05


class NoPanel:
    """A device without button and light."""

    def show(self, on: bool) -> None:
        pass

    def close(self) -> None:
        pass


class Panel:
    """Calls `pressed` for each press; `show` switches the light.

    Raises UserError for pins that cannot be used.
    """

    def __init__(
        self, button: int | None, led_pin: int | None, on_press: Callable[[], None]
    ) -> None:
        try:
            import gpiozero
        except ModuleNotFoundError:
            raise UserError(
                "gpiozero is missing", "gpio", "pip install 'roommood[pi]', or remove the key"
            ) from None
        self._button: Any = None
        self._led: Any = None
        try:
            if led_pin is not None:
                self._led = gpiozero.LED(led_pin)
            if button is not None:
                self._button = gpiozero.Button(button, bounce_time=BOUNCE_S)
                self._button.when_pressed = on_press
        except Exception as error:  # pin factories raise errors of their own, of no common kind
            raise UserError(
                f"cannot be used ({error})",
                f"gpio: button {button}, led {led_pin}",
                "check the pin numbers, and that the agent's user is in group 'gpio'",
            ) from None

    def show(self, on: bool) -> None:
        if self._led is not None:
            self._led.value = on

    def close(self) -> None:
        """Lets go of the pins; the light goes out."""
        for pin in (self._button, self._led):
            if pin is not None:
                pin.close()
