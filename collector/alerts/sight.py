"""What is wrong now, with devices and with the collector itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import get_args

from collector.alert_settings import DeviceCause, OwnCause
from collector.alerts.incidents import Key, Sighting
from collector.fleet.diagnosis import faults
from collector.fleet.registry import Device
from collector.live.rooms import Rooms

DISK_BYTES = 1e9
"""Free on the disk of the collector's state folder; with less it is nearly full."""
CERTIFICATE_S = 14 * 86_400
SETTLE_S = 60.0
"""After the collector reached the broker: until then statuses may still be on their way."""
MOMENT_S = 30.0
"""So short an outage of the broker changes nothing."""

HIDE = ("revoked", "certificate_ended", "never_heard", "offline")
"""With one of these nobody knows how the device does otherwise."""

OWN_CAUSES, DEVICE_CAUSES = get_args(OwnCause), get_args(DeviceCause)
BROKER = Key("broker_unreachable", "", "broker")


class Sight:
    """`devices` are those that are enrolled, or None where there is no fleet: then every room that
    was heard of counts. `problems` is what does not work, by worker; `own_certificates` when each
    ends, by setting; `backup_problem` what is wrong with the backups, or nothing. Nothing of
    `without` begins."""

    def __init__(
        self,
        rooms: Rooms,
        devices: Callable[[], Iterable[Device]] | None,
        is_connected: Callable[[], bool],
        problems: Callable[[], Mapping[str, str]],
        own_certificates: Callable[[], Mapping[str, float]],
        folder: Path,
        without: Iterable[str] = (),
        backup_problem: Callable[[], str] = str,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._rooms, self._devices = rooms, devices
        self._is_connected, self._problems = is_connected, problems
        self._own_certificates, self._folder = own_certificates, folder
        self._backup_problem = backup_problem
        self._without, self._settle_s = frozenset(without), settle_s
        self._connected_at: float | None = None
        self._lost_at: float | None = None
        self._is_anew = False

    def look(self) -> Sighting:
        """Now; to be asked every few seconds."""
        begin, present = dict[Key, str](), set[Key]()
        for cause, item, about in self._own():
            begin[Key(cause, "", item)] = about
        begin = {key: about for key, about in begin.items() if key.cause not in self._without}
        present.update(begin)
        anew = self._looks_for_broker()
        if anew is None:
            return Sighting(begin, frozenset(present), is_blind=True)
        hidden_rooms, removed_rooms = set[tuple[str, str]](), set[tuple[str, str]]()
        for device in self._all_devices():
            view = self._rooms.view(*device.room)
            about_by_cause = dict(reversed(list(faults(device, view, version("roommood")))))
            causes = list(reversed(about_by_cause))
            if not causes:
                continue
            if causes[0] == "revoked":
                removed_rooms.add(device.room)
                causes = causes[:1]
            present |= {Key(cause, *device.room) for cause in causes}
            if causes[0] in HIDE:
                hidden_rooms.add(device.room)
                causes = causes[:1]
            first = next((cause for cause in causes if cause not in self._without), None)
            if first is not None:
                begin[Key(first, *device.room)] = about_by_cause[first]
        return Sighting(
            begin,
            frozenset(present),
            frozenset(hidden_rooms),
            frozenset(removed_rooms),
            is_anew=anew,
        )

    def _looks_for_broker(self) -> bool | None:
        """None while devices cannot be judged; else whether they can be again, after a while."""
        now = time.monotonic()
        if not self._is_connected():
            self._connected_at = None
            self._lost_at = self._lost_at or now
            return None
        if self._connected_at is None:
            self._connected_at = now
            self._is_anew = self._lost_at is not None and now - self._lost_at > MOMENT_S
            self._lost_at = None
        if now - self._connected_at < self._settle_s:
            return None
        anew, self._is_anew = self._is_anew, False
        return anew

    def _all_devices(self) -> Iterable[Device]:
        if self._devices is not None:
            return self._devices()
        rooms = [(view.site, view.room) for view in self._rooms.all()]
        return [Device(room, "", None, {}, None) for room in rooms]

    def _own(self) -> Iterator[tuple[str, str, str]]:
        """Cause, which part, and a detail."""
        if not self._is_connected():
            yield BROKER.cause, BROKER.item, ""
        free = shutil.disk_usage(self._folder).free if self._folder.exists() else DISK_BYTES
        if free < DISK_BYTES:
            yield "collector_disk", "disk", f"{free / 1e6:.0f} MB"
        now = time.time()
        for setting, end in self._own_certificates().items():
            if end - now < CERTIFICATE_S:
                yield "collector_certificate", setting, str(int(end))
        if why := self._backup_problem():
            yield "collector_backup", "backup", why
        for worker, why in self._problems().items():
            if worker == "alerts" or (worker == "link" and not self._is_connected()):
                continue  # that is told otherwise
            yield "collector_problem", worker, why
