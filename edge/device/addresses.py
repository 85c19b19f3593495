"""Which addresses an enrolled device has to reach: its broker, its collector, the name servers."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

from edge.common.settings import read
from edge.device.enrol import SITE, about

RESOLVERS = Path("/etc/resolv.conf")


def addresses(state: Path, resolvers: Path = RESOLVERS) -> list[str]:
    """Without those that cannot be looked up now; raises UserError where it is not enrolled."""
    ips: set[str] = set()
    for host in (urlsplit(about(state).collector).hostname, read(state / SITE)["broker"]["host"]):
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
