"""Which addresses an enrolled device has to reach: its broker, its collector, the name servers.

The agent's user owns the enrolment, and must not choose its own firewall: root notes the names when
it first looks after an enrolment, in a file of its own, and believes that from then on.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from edge.common import atomic_file
from edge.common.errors import unusable
from edge.common.settings import Section, read
from edge.device.enrol import SITE, about

log = logging.getLogger(__name__)

RESOLVERS = Path("/etc/resolv.conf")
NOTES = Path("/var/lib/roommood-addresses")


class Hosts(Section):
    """Root's note."""

    collector: str
    broker: str


def note_of(state: Path, notes: Path = NOTES) -> Path:
    """Where root notes the names of the device with that state folder."""
    return notes / f"{state.name}.json"


def addresses(state: Path, resolvers: Path = RESOLVERS, note: Path | None = None) -> list[str]:
    """Without those that cannot be looked up now; raises UserError where it is not enrolled, and
    for a note that cannot be read or written."""
    ips: set[str] = set()
    hosts = _enrolment_hosts(state) if note is None else _note_hosts(state, note)
    for host in (hosts.collector, hosts.broker):
        try:
            ips.update(str(entry[4][0]) for entry in socket.getaddrinfo(host, None))
        except OSError:
            continue
    try:
        lines = resolvers.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    if ips:
        ips.update(line.split()[1] for line in lines if line.startswith("nameserver "))
    return sorted(ips)


def forgetter(state: Path, notes: Path = NOTES) -> Callable[[], None]:
    """What empties root's note once the device is enrolled anew, perhaps with another collector.

    To be made before the command goes on as the agent's user: the open file is what it keeps of
    root's rights. Does nothing where root has no part in it.
    """
    if os.geteuid() != 0 or not state.exists() or state.stat().st_uid == 0:
        return lambda: None
    notes.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(note_of(state, notes), os.O_WRONLY | os.O_CREAT, atomic_file.OWNER_ALONE)
    return lambda: os.ftruncate(handle, 0)


def _enrolment_hosts(state: Path) -> Hosts:
    collector = urlsplit(about(state).collector).hostname or ""
    return Hosts(collector=collector, broker=str(read(state / SITE)["broker"]["host"]))


def _note_hosts(state: Path, note: Path) -> Hosts:
    try:
        text = note.read_text(encoding="utf-8") if note.exists() else ""
        hosts = Hosts.model_validate_json(text) if text else None
    except (OSError, ValueError) as error:
        raise unusable(error, note, "delete it: it is written anew within the hour") from None
    if hosts is None:
        hosts = _enrolment_hosts(state)
        try:  # in its place: a command that enrols may hold the file open, to empty it
            handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, atomic_file.OWNER_ALONE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(hosts.model_dump_json())
        except OSError as error:
            raise unusable(error, note, "run this as root") from None
        return hosts
    if _enrolment_hosts(state) != hosts:
        log.warning(
            "%s: names other machines than when the device was enrolled, and is not believed: "
            "if the school moved them, run `sudo roommood device enrol` again",
            state / SITE,
        )
    return hosts
