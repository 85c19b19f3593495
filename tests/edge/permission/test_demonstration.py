"""A demonstration is known by who runs its broker, which is looked up and not told."""

from __future__ import annotations

import socket
import subprocess
import sys

ASK = """
import sys
from edge.permission.demonstration import is_demonstration
print(is_demonstration(sys.argv[1], int(sys.argv[2])))
"""


def ask(host: str, port: int, *through: str) -> bool:
    """What a child of ours, or of a process between, is told."""
    command = [*through, sys.executable, "-c", ASK, host, str(port)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout == "True\n"


def test_the_broker_is_the_parent_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        assert ask("127.0.0.1", port)
        assert ask("localhost", port)
        assert not ask("broker.school.example", port)
        assert not ask("10.0.0.4", port)
        assert not ask("127.0.0.1", port, "sh", "-c", '"$@"; true', "sh"), "a grandchild is none"
    assert not ask("127.0.0.1", port), "nobody listens any more"
