"""One hostile device: it has a room and a name of its own, and speaks as if it were the others.

Through the listener for devices, with the rules that `roommood site init` writes: what a device may
not say the broker keeps, and what it may say in its own room the collector must not believe of
others. It knows all that there is to know of them: devices, runs and numbers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.bench.faults.stranger import PATIENCE_S, connect
from deploy.commands.broker import ACL
from edge.protocol.messages import Ack, Command, Mood, rfc3339, topic

ROOM = "forger"
PASSWORD = "a device's key"  # noqa: S105  # of a broker that lives as long as the bench
MODEL = "f" * 12
"""By which its windows are recognized, wherever they end up."""

AHEAD = 20
"""So many numbers that the others have not reached yet."""

ROUNDS = 101
"""Of the password's hash: as few as Mosquitto's own program takes."""


class ForgedMessage(NamedTuple):
    topic: str
    payload: bytes


def rules(site: str) -> str:
    """For Mosquitto: a device's, and everything for those who are not asked for a name."""
    return "topic readwrite #\n" + ACL.format(site=site)


def password_line() -> str:
    """Its line of Mosquitto's file of passwords."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, ROUNDS)
    salt_text, digest_text = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"{ROOM}:$7${ROUNDS}${salt_text}${digest_text}\n"


def in_its_own_room(site: str, moods: list[Mood]) -> Iterator[ForgedMessage]:
    """What the broker passes on: the others' runs and numbers, and their rooms, below its topic."""
    for room in (ROOM, moods[-1].room):
        for content in _forged_moods(site, room, moods):
            yield ForgedMessage(topic(site, ROOM, "mood"), content)
        status = _status(moods[-1]) | {"room": room}
        yield ForgedMessage(topic(site, ROOM, "status"), json.dumps(status).encode())


def in_other_rooms(site: str, moods: list[Mood]) -> Iterator[ForgedMessage]:
    """What the broker keeps: windows, states, acknowledgements and commands of the others."""
    last, day = moods[-1], timedelta(days=1)
    room = last.room
    for content in (*_forged_moods(site, room, moods), b""):
        yield ForgedMessage(topic(site, room, "mood"), content)
    yield ForgedMessage(topic(site, room, "status"), json.dumps(_status(last)).encode())
    for seq in range(last.seq, last.seq + AHEAD):
        yield ForgedMessage(topic(site, room, "ack"), Ack(boot=last.boot, seq=seq).encode())
    spans = ((last.start - day, last.start + day),)
    for command in (Command(command="stop_today"), Command(command="erase", spans=spans)):
        yield ForgedMessage(topic(site, room, "command"), command.encode())


def forge(port: int, site: str, moods: list[Mood]) -> None:
    """Says all of it about these windows of one device, oldest first; then goes without a word,
    and leaves a last will in the other's name, under which it had signed in."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=f"roommood-agent-{site}-{moods[-1].device}"
    )
    client.username_pw_set(ROOM, PASSWORD)
    will = json.dumps(_status(moods[-1]))
    client.will_set(topic(site, moods[-1].room, "status"), will, qos=1, retain=True)
    connect(client, port)
    client.loop_start()
    for message in (*in_its_own_room(site, moods), *in_other_rooms(site, moods)):
        info = client.publish(message.topic, message.payload, qos=1, retain=True)
    info.wait_for_publish(PATIENCE_S)
    client.loop_stop()
    connection = client.socket()
    if connection is not None:
        connection.close()


def _forged_moods(site: str, room: str, moods: list[Mood]) -> Iterator[bytes]:
    """The same numbers with other content, numbers to come, and merged windows that stand for all
    there were."""
    last = moods[-1]
    spans = [(mood.seq, 1, mood.start, 1.0) for mood in moods]
    spans += [(last.seq + n, 1, last.start + timedelta(seconds=n), 1.0) for n in range(1, AHEAD)]
    hour = last.start - timedelta(seconds=3500)
    spans += [(n, n + 1, hour, 3600.0) for n in (last.seq, last.seq + AHEAD)]
    spans += [(99_999, 100_000, hour, 3600.0), (last.seq + AHEAD, AHEAD, last.start, 20.0)]
    for seq, windows, start, seconds in spans:
        content = {
            **{"schema": "roommood.mood/1", "site": site, "room": room},
            **{"device": last.device, "boot": str(last.boot), "seq": seq, "start": rfc3339(start)},
            **{"seconds": seconds, "clock": last.clock, "frames": 0, "faces": None},
            **{"counts": None, "withheld": "no_camera", "model": MODEL},
        }
        if windows > 1:
            content["windows"] = windows
        yield json.dumps(content).encode()


def _status(mood: Mood) -> dict[str, Any]:
    return {
        **{"schema": "roommood.status/1", "site": mood.site, "room": mood.room},
        **{"device": mood.device, "boot": str(mood.boot), "state": "offline"},
        "at": rfc3339(datetime.now(timezone.utc)),
    }
