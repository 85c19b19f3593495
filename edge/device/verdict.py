"""What the collector says of this device: whether it knows it, and what its own clock shows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge.common.errors import UserError
from edge.device.enrol import ABOUT, about
from edge.device.https import Caller, open_context
from edge.device.sync import DeviceSync, Empty
from edge.protocol.device_api import Challenge


class CollectorLink(NamedTuple):
    """How an enrolled device asks its collector."""

    ask: Callable[[], str]
    """What the collector says of the device; raises UserError with its reason."""
    clock_lead_s: Callable[[], float | None]
    """How far this clock is ahead of the collector's."""


def collector_link(state: Path | None) -> CollectorLink | None:
    """For the doctor; None on a device that was set up by hand, or has no room yet."""
    if state is None or not (state / ABOUT).exists():
        return None
    return CollectorLink(partial(ask, state), partial(clock_lead_s, state))


def ask(state: Path) -> str:
    """A sentence where all is well; raises UserError with the collector's own reason and remedy."""
    collector = about(state).collector
    offer = DeviceSync(state).report().offer
    update = f", and has update {offer.number} for it" if offer is not None else ""
    return f"{collector} knows this device{update}"


def clock_lead_s(state: Path) -> float | None:
    """How far this machine's clock is ahead of the collector's; None where that cannot be asked.

    For a hint alone: certificates are not looked at, since on a clock that is far off none holds.
    """
    with contextlib.suppress(UserError):
        caller = Caller(about(state).collector, open_context())
        with contextlib.suppress(UserError):
            caller.ask("/device/nonce", Empty(), Challenge)
        if caller.date is not None:
            return (datetime.now(timezone.utc) - caller.date).total_seconds()
    return None
