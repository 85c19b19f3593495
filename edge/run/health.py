"""How the device does, for whoever asks on the device itself: `GET /healthz`, on loopback only.

The same figures as in the status message, and which of the agent's workers does not do its work
now, and why; 200 while the agent works or is meant to be paused, 503 while the camera gives
nothing, windows are not stored anywhere else, or a worker fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from edge.protocol.messages import Health
from edge.run.local_pages import Answer, LocalPages, PageRequest

BEHIND_S = 120
"""Without an acknowledgement for so long, with windows waiting, something is wrong out there."""


def is_well(health: Health) -> bool:
    blind = health.pause is None and health.uptime_s > BEHIND_S and not health.frames_per_s
    silent = health.uptime_s if health.last_ack_s is None else health.last_ack_s
    behind = health.waiting > 0 and silent > BEHIND_S
    return health.disk == "ok" and not blind and not behind


def endpoint(
    port: int, health: Callable[[], Health], problems: Callable[[], Mapping[str, str]]
) -> LocalPages:
    """The server, not started; raises UserError for a port that is taken."""

    def answer(_: PageRequest) -> Answer:
        now, wrong = health(), dict(problems())
        status = 200 if is_well(now) and not wrong else 503
        report = {**now.model_dump(mode="json"), "workers": wrong}
        return Answer(json.dumps(report).encode() + b"\n", "application/json", status)

    return LocalPages("health", port, {"GET /healthz": answer}, None, "health.port")
