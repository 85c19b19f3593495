"""Every room's state for Prometheus: how the devices do, and no expression.

Names and units are as https://prometheus.io/docs/practices/naming has them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.live.rooms import Key, Rooms, RoomState, RoomView
from edge.protocol.messages import Health, Throttle


class DeviceFigure(NamedTuple):
    meaning: str
    of: Callable[[Health], float | None]
    total: bool = False
    """Whether it only grows while the agent runs."""


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


FIGURES: dict[str, DeviceFigure] = {
    "frames_per_second": DeviceFigure("Frames analysed per second.", lambda h: h.frames_per_s),
    "frame_seconds": DeviceFigure(
        "For how long a frame is worked on.", lambda h: _times(0.001, h.ms_per_frame)
    ),
    "waiting_windows": DeviceFigure("Windows in the device's outbox.", lambda h: h.waiting),
    "temperature_celsius": DeviceFigure("The device's temperature.", lambda h: h.temperature_c),
    "memory_bytes": DeviceFigure("The agent's memory.", lambda h: _times(1e6, h.memory_mb)),
    "uptime_seconds": DeviceFigure("For how long the agent has run.", lambda h: h.uptime_s),
    "last_acknowledgement_seconds": DeviceFigure(
        "Since the collector last acknowledged, when the device last said.", lambda h: h.last_ack_s
    ),
    "disk_failing": DeviceFigure(
        "1 while the disk takes no windows.", lambda h: h.disk == "failing"
    ),
    "merged_windows": DeviceFigure(
        "Windows merged with the next since the agent started, for want of room.",
        lambda h: h.merged,
        total=True,
    ),
    "dropped_windows": DeviceFigure(
        "Windows lost since the agent started.", lambda h: h.dropped, total=True
    ),
}

ROOM = ["site", "room"]


class Backups(Protocol):
    """See collector/run/backup_watch.py."""

    @property
    def age_s(self) -> float | None: ...

    @property
    def size(self) -> int | None: ...

    @property
    def good(self) -> int: ...

    @property
    def problem(self) -> str: ...


BACKUP_FIGURES: dict[str, tuple[str, Callable[[Backups], float | None]]] = {
    "_age_seconds": ("Since the newest backup that was read through.", lambda one: one.age_s),
    "_size_bytes": ("Of the newest backup that was read through.", lambda one: one.size),
    "s": ("How many good backups there are.", lambda one: one.good),
    "_failing": (
        "1 while backups fail, are too old, damaged, or there is none.",
        lambda one: bool(one.problem),
    ),
}


class RoomMetrics(Collector):
    """Made from what is known at the moment of asking.

    `certificates` gives when each room's certificate ends (seconds since 1970), `own` the same for
    the collector's, by setting; `folder` is where the collector writes; `backups` says how these
    are, or None where nobody makes any.
    """

    def __init__(
        self,
        rooms: Rooms,
        folder: Path = Path(),
        certificates: Callable[[], Mapping[Key, float]] = dict,
        own: Callable[[], Mapping[str, float]] = dict,
        backups: Callable[[], Backups | None] = lambda: None,
    ) -> None:
        self._rooms, self._folder = rooms, folder
        self._certificates, self._own, self._backups = certificates, own, backups

    def collect(self) -> Iterator[Metric]:
        views = self._rooms.all()
        yield from _of_rooms(views)
        reports = [
            ([view.site, view.room], view.status.health)
            for view in views
            if view.status is not None and view.status.health is not None
        ]
        for name, figure in FIGURES.items():
            family = CounterMetricFamily if figure.total else GaugeMetricFamily
            yield _fill(
                family(f"roommood_device_{name}", figure.meaning, labels=ROOM),
                [(labels, figure.of(health)) for labels, health in reports],
            )
        yield _fill(
            GaugeMetricFamily(
                "roommood_device_throttled",
                "1 for each reason why the device is slower than it could be.",
                labels=[*ROOM, "reason"],
            ),
            [
                ([*labels, reason], reason in health.throttled)
                for labels, health in reports
                for reason in get_args(Throttle)
            ],
        )
        yield from self._ends()
        yield _fill(
            GaugeMetricFamily(
                "roommood_collector_disk_free_bytes", "On the disk of the collector's state folder."
            ),
            [([], shutil.disk_usage(self._folder).free)] if self._folder.exists() else [],
        )

        backups = self._backups()
        for name, (meaning, of) in BACKUP_FIGURES.items():
            values: list[tuple[list[str], float | None]] = [([], of(backups))] if backups else []
            yield _fill(GaugeMetricFamily(f"roommood_collector_backup{name}", meaning), values)

    def _ends(self) -> Iterator[Metric]:
        yield _fill(
            GaugeMetricFamily(
                "roommood_device_certificate_expiry_timestamp_seconds",
                "When the device's certificate ends, since 1970.",
                labels=ROOM,
            ),
            [(list(room), ends) for room, ends in self._certificates().items()],
        )
        yield _fill(
            GaugeMetricFamily(
                "roommood_collector_certificate_expiry_timestamp_seconds",
                "When a certificate of the collector ends, since 1970, by its setting.",
                labels=["setting"],
            ),
            [([setting], ends) for setting, ends in self._own().items()],
        )


def _of_rooms(views: list[RoomView]) -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "roommood_room_state", "1 for the state that a room is in.", labels=[*ROOM, "state"]
    )
    age = GaugeMetricFamily(
        "roommood_room_window_age_seconds", "Since the newest window ended.", labels=ROOM
    )
    for view in views:
        for one in get_args(RoomState):
            state.add_metric([view.site, view.room, one], float(view.state == one))
        if view.mood is not None:
            window_end = view.mood.start.timestamp() + view.mood.seconds
            age.add_metric([view.site, view.room], time.time() - window_end)
    yield state
    yield age


def _fill(family: Any, values: list[tuple[list[str], float | None]]) -> Metric:
    """The family with the values that are known."""
    for labels, value in values:
        if value is not None:
            family.add_metric(labels, float(value))
    result: Metric = family
    return result


def metrics_registry(*collectors: Collector) -> CollectorRegistry:
    """Theirs, and the process's own figures under the names that every exporter uses."""
    result = CollectorRegistry()
    ProcessCollector(registry=result)
    for one in collectors:
        result.register(one)
    return result
