"""A message with an absurd clock, from somebody who speaks for a room and is not its device."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.protocol.messages import topic

PATIENCE_S = 30.0

DAYS = (-3_000, -40, -1, 1, 2, 20, 20_000)
"""By which its clock is wrong; besides the first and the last moment that there is."""


def send(port: int, site: str, room: str, variant: float) -> None:
    """One window; retained, so that the collector hears it again at every start."""
    now = datetime.now(timezone.utc)
    times = [(now + timedelta(days=days)).isoformat()[:19] + "Z" for days in DAYS]
    starts = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", *times]
    content = {
        **{"schema": "roommood.mood/1", "site": site, "room": room, "device": "stranger"},
        **{"boot": str(uuid4()), "seq": 0, "start": starts[int(variant * (len(starts) - 0.01))]},
        **{"seconds": 15.0, "clock": "unsynced" if variant * 100 % 1 < 0.5 else "synced"},
        **{"frames": 0, "faces": None, "counts": None, "withheld": "no_camera"},
        "model": "0" * 12,
    }
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    connect(client, port)
    client.loop_start()
    info = client.publish(topic(site, room, "mood"), json.dumps(content), qos=1, retain=True)
    info.wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def connect(client: mqtt.Client, port: int) -> None:
    """As soon as the broker is there: it may have been killed in the same moment."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.connect("127.0.0.1", port)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
