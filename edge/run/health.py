"""How the device does, for whoever asks on the device itself: `GET /healthz`, on loopback only.

The same figures as in the status message; 200 while the agent works or is meant to be paused, 503
while the camera gives nothing, or windows are not stored anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.protocol.messages import Health
from edge.run.local_pages import Answer, Asked, LocalPages

BEHIND_S = 120
"""Without an acknowledgement for so long, with windows waiting, something is wrong out there."""


def is_well(health: Health) -> bool:
    blind = health.pause is None and health.uptime_s > BEHIND_S and not health.frames_per_s
    silent = health.uptime_s if health.last_ack_s is None else health.last_ack_s
    behind = health.waiting > 0 and silent > BEHIND_S
    return health.disk == "ok" and not blind and not behind


def endpoint(port: int, health: Callable[[], Health]) -> LocalPages:
    """The server, not started; raises Refusal for a port that is taken."""

    def answer(_: Asked) -> Answer:
        now = health()
        status = 200 if is_well(now) else 503
        return Answer(now.model_dump_json().encode() + b"\n", "application/json", status)

    return LocalPages(port, {"GET /healthz": answer}, None, "health.port")
