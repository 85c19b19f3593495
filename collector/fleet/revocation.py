"""The revocation list that the broker reads, and the end of connections that are open already.

Mosquitto looks at the list when somebody connects, and reads it anew when it is told to reload,
which a systemd path unit does as soon as the file changes. A connection that is open is ended by
taking its place: the broker lets one client alone have a name, and on the listener for devices the
name is the certificate's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from collector.access.accounts import Room
from collector.fleet.authority import Authority
from collector.fleet.files import READABLE, SiteFiles
from collector.fleet.registry import DeviceRegistry, State
from edge.common import atomic_file
from edge.common.broker import BrokerSettings, client
from edge.common.clock import WallClock
from edge.common.errors import UserError
from edge.common.worker import Worker

log = logging.getLogger(__name__)

EVERY_S = 2.0
KICKS_S: dict[State, tuple[float, ...]] = {"revoked": (3.0, 10.0, 30.0), "replaced": (30.0,)}
"""After the list was written: the broker reads it within a second or two, unless it is busy. A
device that renewed its certificate is connected with the new one by then, and is disturbed once."""
DAY_S = 86_400.0
WAITS_S = 5.0


class RevocationWorker(Worker):
    """Looks at the register."""

    def __init__(
        self,
        files: SiteFiles,
        authority: Authority,
        registry: DeviceRegistry,
        broker: BrokerSettings,
        on_renewed: Callable[[], None],
    ) -> None:
        super().__init__("revocation list", EVERY_S)
        self._files, self._authority, self._registry = files, authority, registry
        self._broker = broker
        self._on_renewed = on_renewed
        self._serials: frozenset[str] | None = None
        self._write_time = 0.0
        self._kicks: list[tuple[float, Room]] = []

    def run_once(self) -> None:
        """Writes the list where it has changed, or is a day old; ends connections that are due."""
        revocations = self._registry.revocations()
        serials = frozenset(one.serial for one in revocations)
        now = time.monotonic()
        if serials != self._serials or now - self._write_time > DAY_S:
            entries = [(one.serial, one.at) for one in revocations]
            content = self._authority.revocation_list(entries, int(time.time()))
            atomic_file.write(self._files.revocation_list, content, READABLE)
            fresh = serials - (self._serials if self._serials is not None else serials)
            endings = {(one.room, one.state) for one in revocations if one.serial in fresh}
            self._kicks += [(now + after, room) for room, how in endings for after in KICKS_S[how]]
            self._serials, self._write_time = serials, now
            for name in self._files.renew_servers(self._authority):
                log.info("site: the certificate of the %s was renewed", name)
                if name == "collector":
                    self._on_renewed()
        for room in dict.fromkeys(room for at, room in self._kicks if at <= now):
            if self._stopping.is_set():
                return
            self._kick(room)
            self._kicks = [(at, one) for at, one in self._kicks if one != room or at > now]
            self.beat()  # a broker that says nothing takes seconds for each

    def _kick(self, room: Room) -> None:
        """Connects as the device for a moment; its own connection is closed."""
        try:
            mqtt_client = client(self._broker, room[1], "3.1.1", WallClock())
            mqtt_client.connect(self._broker.host, self._broker.port)
            end = time.monotonic() + WAITS_S
            while not mqtt_client.is_connected() and time.monotonic() < end:
                mqtt_client.loop(0.1)
            mqtt_client.disconnect()
        except (OSError, ValueError, UserError) as error:
            log.warning("revocation: cannot make the broker disconnect %s: %s", room[1], error)
