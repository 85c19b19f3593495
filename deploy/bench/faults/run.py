"""A run of the fault bench: faults by the plan, recovery measured, windows compared at the end."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.bench.faults.compare import Comparison, compare
from deploy.bench.faults.plan import KINDS, FaultMoment, FaultPlan
from deploy.bench.faults.school import FaultSchool
from edge.common.errors import UserError

log = logging.getLogger(__name__)

BEGINS_S = 60
RECOVERS_S = 90
DRAINS_S = 120


@dataclass
class FaultFigures:
    faults: Counter[str] = field(default_factory=Counter)
    recovery_s: list[float] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    """The longest recovery of each kind of fault, or of two at once."""
    losses: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What pages and lessons showed at the end that is not so."""


def bench(
    seed: int, minutes: float, agents: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Runs it, and gives the figures of docs/contract.md; raises UserError where nothing starts."""
    with tempfile.TemporaryDirectory(prefix="roommood-faults-") as temporary:
        school = FaultSchool(folder or Path(temporary), agents, seed)
        figures = FaultFigures()
        try:
            school.start()
            _wait_for_all(school)
            plan = FaultPlan(seed, school.rooms, school.possible())
            end = time.monotonic() + 60 * minutes
            while time.monotonic() < end:
                _live(school, plan.next(), figures, say)
            about = {"seed": seed, "minutes": minutes, "agents": agents}
            comparison = _compare(school)
            figures.wrong += school.lessons.wrong()
            if returns := school.at_rest.count_returns():
                figures.wrong.append(f"{returns} windows that were erased are back")
            if strangers := school.count_forgeries():
                figures.wrong.append(f"{strangers} windows of the forger are in others' rooms")
            figures.losses += school.at_rest.problems + school.problems
            return about | comparison._asdict() | _figures_json(school, figures)
        finally:
            school.stop()
            school.remove_disks()


def _wait_for_all(school: FaultSchool) -> None:
    start = time.monotonic()
    for room, watcher in school.watchers.items():
        if watcher.live_after(start, BEGINS_S) is None:
            log_file = school.folder / f"{room}.log"
            lines = log_file.read_text(encoding="utf-8").splitlines()[-3:]
            raise UserError(
                f"no window within {BEGINS_S} s; it says {' / '.join(lines)}",
                room,
                "run `roommood agent check` on this machine",
            )


def _live(
    school: FaultSchool, moment: FaultMoment, figures: FaultFigures, say: Callable[[str], None]
) -> None:
    time.sleep(moment.wait)
    for fault in moment.faults:
        figures.faults[fault.kind] += 1
        school.begin(fault)
    start = time.monotonic()
    for fault in sorted(moment.faults, key=lambda one: one.seconds):
        time.sleep(max(0.0, start + fault.seconds - time.monotonic()))
        school.end(fault)
    end = time.monotonic()
    name = "+".join(sorted(f"{fault.kind}({fault.victim or 'all'})" for fault in moment.faults))
    rooms = {room for fault in moment.faults for room in school.feels(fault)}
    arrival_times = [school.watchers[room].live_after(end, RECOVERS_S) for room in sorted(rooms)]
    back = [at for at in arrival_times if at is not None]
    if len(back) < len(arrival_times):
        figures.losses.append(name)
        say(f"{name}: not recovered after {RECOVERS_S} s")
        return
    took = max(back) - end
    figures.recovery_s.append(took)
    kinds = "+".join(sorted(fault.kind for fault in moment.faults))
    figures.slowest[kinds] = round(max(took, figures.slowest.get(kinds, 0)), 1)
    say(f"{name}: {took:.1f} s")
    for watcher in school.watchers.values():
        watcher.forget()


def _compare(school: FaultSchool) -> Comparison:
    """What was counted until now with what the collector has of it, as soon as nothing is missing.

    A window that is still missing after DRAINS_S is lost.
    """
    moods, end = school.journal_moods(), time.monotonic() + DRAINS_S
    while True:
        comparison = compare(moods, school.collector_moods())
        if not comparison.lost or time.monotonic() > end:
            return comparison
        time.sleep(1)


def _figures_json(school: FaultSchool, figures: FaultFigures) -> dict[str, Any]:
    times = figures.recovery_s
    return {
        "faults": dict(sorted(figures.faults.items())),
        "recovery_s": {
            "median": round(statistics.median(times), 2) if times else None,
            "max": round(max(times), 2) if times else None,
        },
        "slowest_s": dict(sorted(figures.slowest.items(), key=lambda item: -item[1])[:5]),
        "unrecovered": figures.losses,
        "wrong": figures.wrong,
        "not_tried": sorted(set(KINDS) - set(school.possible())),
    }
