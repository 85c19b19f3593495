"""What an update may change of a device's settings, setting by setting.

What protects the people in a room cannot be taken away from afar: an update may add a button, a
screen, a timetable or a stricter limit, and may not remove, move or weaken one that the machine's
own file has. `FROM_AFAR` names every setting; tests make an update of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from edge.common.errors import UserError
from edge.config import AgentSettings

Rule = Callable[[Any, Any], bool]
"""Whether the update's value may stand where the machine's own was."""


class _Absent:
    """In place of the value of a setting whose section is not there."""


ABSENT = _Absent()


def anything(_own: Any, _new: Any) -> bool:
    return True


def never(own: Any, new: Any) -> bool:
    return bool(own == new)


def same(own: Any, new: Any) -> bool:
    return bool(own == new)


def once_set_stays(own: Any, new: Any) -> bool:
    return own is None or own == new


def at_least(own: Any, new: Any) -> bool:
    return bool(new >= own)


def at_most(own: Any, new: Any) -> bool:
    return bool(new <= own)


def adds_alone(own: Any, new: Any) -> bool:
    return set(own) <= set(new)


def on_stays_on(own: Any, new: Any) -> bool:
    return bool(new or not own)


def off_stays_off(own: Any, new: Any) -> bool:
    return bool(own or not new)


def headcount_stays(own: Any, new: Any) -> bool:
    return bool(own != "headcount" or new == "headcount")


FROM_AFAR: Mapping[str, Rule] = {
    # Who the device is and whom it talks to.
    "site": never,
    "room": never,
    "device": never,
    "broker": never,
    "state": never,
    "site_key": never,
    "enrolled": never,
    # What protects people.
    "mode": headcount_stays,
    "gpio.button": once_set_stays,
    "gpio.led": once_set_stays,
    "kiosk.port": same,
    "pin": once_set_stays,
    "schedule.timezone": same,
    "schedule.lessons": same,
    "schedule.calendar": same,
    "schedule.calendar_rooms": same,
    "schedule.holidays": adds_alone,
    "schedule.holidays_calendar": once_set_stays,
    "schedule.tentative": off_stays_off,
    "schedule.harmless": same,
    "schedule.needs_synced_clock": on_stays_on,
    "disclosure.min_faces": at_least,
    "disclosure.min_cell": at_least,
    "disclosure.min_change": at_least,
    "disclosure.noise.epsilon": at_most,
    "disclosure.noise.lesson_minutes": at_least,
    "disclosure.noise.releases": at_most,
    "faces.blank": adds_alone,
    # How well it works. An attestation is signed and says whom it covers; what the screen says of
    # who answers is words.
    "attestation": anything,
    "camera": anything,
    "transport": anything,
    "model": anything,
    "window_seconds": anything,
    "frames_per_second": anything,
    "faces": anything,
    "kiosk": anything,
    "health": anything,
    "supervision": anything,
    "log_level": anything,
}
"""By the longest name that fits; a section that is gone has no value in any of its settings."""


def rule(name: str) -> Rule:
    """Of `faces.blank` its own, of `faces.min_size` that of `faces`; raises KeyError for none."""
    while name not in FROM_AFAR:
        name, dot, _ = name.rpartition(".")
        if not dot:
            raise KeyError(name)
    return FROM_AFAR[name]


def check(own: AgentSettings, with_update: AgentSettings, where: str) -> None:
    """Raises UserError for the first setting that the update may not change as it does."""
    for name, allows in FROM_AFAR.items():
        before, after = value(own, name), value(with_update, name)
        if allows is anything or before is ABSENT:
            continue
        if after is ABSENT or not allows(before, after):
            raise UserError(
                f"an update cannot take away or weaken '{name}'",
                where,
                "leave it out; it is changed on the device alone",
            )


def value(settings: BaseModel, name: str) -> Any:
    """What a setting is, by its dotted name; ABSENT where one of its sections is not there."""
    value: Any = settings
    for key in name.split("."):
        if value is None:
            return ABSENT
        value = getattr(value, key)
    return value
