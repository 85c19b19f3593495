"""What sets this machine's clock: what exists on it, not what might.

On a bare Debian there is no time client at all, and `timedatectl set-ntp true` fails there.
"""

from __future__ import annotations

import subprocess

INSTALL = "install a time client: `sudo apt-get install systemd-timesyncd`"
SWITCH_ON = "switch the time client on: `sudo timedatectl set-ntp true`"
REACH = "let it reach its time server: `timedatectl timesync-status` names it"
BY_HAND = 'set it: `sudo date --utc --set "YYYY-MM-DD HH:MM"`, and let a time client keep it'

ASKS_S = 5.0


def clock_remedy() -> str:
    """Whether to install a time client, to switch it on, or to let it reach its server."""
    command = ["timedatectl", "show", "--property=CanNTP", "--property=NTP"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ASKS_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return BY_HAND  # without systemd, or without its bus, as in a container
    properties = dict(line.split("=", 1) for line in answer.stdout.split() if "=" in line)
    if properties.get("CanNTP") != "yes":
        return INSTALL
    return REACH if properties.get("NTP") == "yes" else SWITCH_ON
