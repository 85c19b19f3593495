"""Which faults, when: everything that the seed decides."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "kill_agent",
    "kill_broker",
    "kill_collector",
    "broker_store_deleted",
    "network_cut",
    "delay",
    "loss",
    "half_open",
    "disk_full",
    "clock_jump",
    "frozen_camera",
    "hanging_camera",
    "corrupted_outbox",
    "truncated_log",
    "missing_outbox",
    "state_folder_gone",
    "absurd_clock",
    "forged_identity",
    "dns_hangs",
    "database_locked",
    "kill_upgrade",
    "kill_backup",
    "kill_restore",
    "kill_erasure",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

LASTING = {
    *("network_cut", "delay", "loss", "half_open", "disk_full"),
    *("state_folder_gone", "dns_hangs", "database_locked"),
}
"""Faults that last for some seconds, and are then taken back."""

BUSY_S = 5.0
"""After so long SQLite gives up waiting for a lock; one that is held lasts longer."""

ON_COLLECTOR = {
    *("network_cut", "delay", "loss", "half_open", "disk_full", "clock_jump", "dns_hangs"),
}
"""Faults that may befall the collector as well as an agent."""

AT_REST = {"kill_upgrade", "kill_backup", "kill_restore", "kill_erasure"}
"""Faults of what is stored: see at_rest.py."""

SHARED_FAULTS = {
    "kill_broker",
    "broker_store_deleted",
    "kill_collector",
    "database_locked",
    *AT_REST,
}
"""Faults that every room feels."""

COLLECTOR = "collector"

FROZEN_S, DRIVER_S = 3, 5
"""After so long the agent has to notice; shorter than by default, so that a run has many faults."""

NOTICE_AFTER: dict[Kind, float] = {"frozen_camera": FROZEN_S, "hanging_camera": DRIVER_S}
"""Until then windows go on as if nothing were; recovery counts from there."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, with whom ('' for all), and for how many seconds."""

    kind: Kind
    victim: str
    seconds: float
    variant: float
    """0 to 1: what else there is to choose, such as where a file is damaged."""


@dataclass(frozen=True)
class FaultMoment:
    """After `wait` seconds of calm, one fault or two at once."""

    wait: float
    faults: tuple[Fault, ...]


class FaultPlan:
    """An endless row of moments; the same seed and rooms give the same one.

    Every kind comes once before any comes again, so that a short run has tried most.
    """

    def __init__(self, seed: int, rooms: tuple[str, ...], kinds: tuple[Kind, ...] = KINDS) -> None:
        self._random = random.Random(seed)
        self._rooms = rooms
        self._kinds = kinds
        self._deck: list[Kind] = []

    def next(self) -> FaultMoment:
        count = 2 if self._random.random() < 0.25 else 1
        faults = tuple(self._fault() for _ in range(count))
        return FaultMoment(self._random.uniform(1.0, 4.0), faults)

    def _fault(self) -> Fault:
        if not self._deck:
            self._deck = list(self._kinds)
            self._random.shuffle(self._deck)
        kind = self._deck.pop()
        seconds = self._random.uniform(1, 6) if kind in LASTING else NOTICE_AFTER.get(kind, 0.0)
        if kind == "database_locked":
            seconds += BUSY_S
        variant = self._random.random()
        if kind in SHARED_FAULTS:
            victim = ""
        elif kind in ON_COLLECTOR and self._random.random() < 0.3:
            victim = COLLECTOR
        else:
            victim = self._random.choice(self._rooms)
        return Fault(kind, victim, seconds, variant)
