"""Whoever speaks for one room cannot touch another's windows, whatever the message says."""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import create_engine, delete

from collector.access.script import token_for
from collector.config import CollectorSettings
from collector.ingest.ingest import check_merge
from collector.storage.database import upgrade
from collector.storage.store import SLACK_S, Store
from collector.storage.tables import moods
from edge.common.settings import load
from edge.protocol.messages import MessageError, Mood, topic
from tests.conftest import mood
from tests.fleet import SITE, Site
from tests.free import wait
from tests.system.test_impostors import connection

pytestmark = pytest.mark.once

NOW = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=30)
VICTIM = uuid4()
SLACK = timedelta(seconds=SLACK_S)


@pytest.fixture(scope="module")
def devices(site: Site) -> Iterator[dict[str, mqtt.Client]]:
    """Connections of two enrolled devices, each with its own certificate."""
    with ExitStack() as stack:
        yield {
            room: stack.enter_context(connection(site, site.enrol_device(room) / "identity"))
            for room in ("r101", "r102")
        }


def window(room: str, seq: int, **changes: Any) -> Mood:
    start = NOW + timedelta(seconds=15 * seq)
    return mood(
        **{"site": SITE, "room": room, "device": room, "boot": VICTIM, "seq": seq, "start": start}
        | changes
    )


def send(client: mqtt.Client, message: Mood) -> None:
    name = topic(message.site, message.room, "mood")
    client.publish(name, message.encode(), qos=1).wait_for_publish(5)


def windows_of(site: Site, room: str) -> list[Mood]:
    return Store(site.engine).between(SITE, room, NOW - timedelta(days=1), NOW + timedelta(days=1))


def test_a_device_that_forges_anothers_run_erases_nothing_and_holds_nothing_back(
    site: Site, devices: dict[str, mqtt.Client]
) -> None:
    mine = [window("r101", seq) for seq in range(5)]
    for one in mine[:3]:
        send(devices["r101"], one)
    wait(lambda: windows_of(site, "r101") == mine[:3])
    for seq, windows, seconds in ((99_999, 100_000, 3600.0), (40, 41, 600.0), (2, 1, 15.0)):
        fields = {"windows": windows, "seconds": seconds, "start": mine[0].start}
        send(devices["r102"], window("r102", seq, device="r101", **fields))
    wait(lambda: [one.seq for one in windows_of(site, "r102")] == [40])
    for one in mine[3:]:
        send(devices["r101"], one)
    wait(lambda: windows_of(site, "r101") == mine)


def test_a_devices_certificate_throws_the_collector_off_no_listener(
    site: Site,
) -> None:
    """On the collector's own, a client chooses its name: nobody knows the collector's."""
    name = load(CollectorSettings, site.config).name
    identity = site.enrol_device("r103") / "identity"
    context = ssl.create_default_context(cafile=str(site.ca))
    context.load_cert_chain(identity / "certificate.pem", identity / "key.pem")
    link = site.service.ingest.link
    since = link._up_since
    for guess in (f"roommood-{name}", name, "roommood-trial"):
        thief = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=guess,
            protocol=mqtt.MQTTv311,
            clean_session=False,
        )
        thief.tls_set_context(context)
        thief.connect("localhost", site.place.local_port)
        thief.loop_start()
        wait(thief.is_connected)
        thief.disconnect()
        thief.loop_stop()
    assert link.is_connected
    assert link._up_since == since
    assert "taken over" not in site.log.read_text(errors="replace")


def test_the_run_is_nobodys_business_in_the_api(
    site: Site, devices: dict[str, mqtt.Client]
) -> None:
    send(devices["r101"], window("r101", 9))
    wait(lambda: any(one.seq == 9 for one in windows_of(site, "r101")))
    headers = {"authorization": f"Bearer {token_for(site.engine)}"}
    with site.client() as client:
        client.headers.update(headers)
        base = f"/api/rooms/{SITE}/r101"
        texts = [client.get(path).text for path in ("/api/rooms", f"{base}/moods")]
        with client.stream("GET", f"{base}/live") as feed:
            texts.append(next(line for line in feed.iter_lines() if line.startswith("data:")))
        schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    assert [str(VICTIM) in text for text in texts] == [False] * 3
    assert "boot" not in json.dumps(schemas["ShownMood"])


def test_a_merged_window_replaces_its_own_rooms_windows_of_its_time_alone() -> None:
    """Whatever numbers it names."""
    engine = create_engine("sqlite://")
    upgrade(engine)
    store, chance = Store(engine), random.Random(7)
    mine = [window("r101", seq) for seq in range(40)]
    replacements = 0
    for _ in range(200):
        with engine.begin() as connection:
            connection.execute(delete(moods))
        store.add(mine)
        room, windows = chance.choice(["r101", "r102"]), chance.randint(2, 60)
        start = NOW + timedelta(seconds=chance.randint(-1200, 1200))
        seconds = float(chance.randint(1, 3600))
        span = {"windows": windows, "start": start, "seconds": seconds}
        forgery = window(room, windows - 1 + chance.randint(0, 30), device="r101", **span)
        store.add([forgery])
        left = store.between(SITE, "r101", NOW - timedelta(days=1), NOW + timedelta(days=1))
        losses = [one for one in mine if one not in left]
        first, end = start - SLACK, start + timedelta(seconds=seconds) + SLACK
        assert room == "r101" or not losses
        assert all(first <= one.start and one.start <= end for one in losses)
        replacements += len(losses)
    assert replacements
    engine.dispose()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"seq": 3, "windows": 5, "seconds": 75.0}, "more than the run has had"),
        ({"seq": 999, "windows": 9, "seconds": 3601.0}, "longer than windows are merged"),
        ({"seq": 99_999, "windows": 100_000}, "more than fit"),
    ],
)
def test_what_no_outbox_can_have_merged_is_refused(changes: dict[str, Any], wrong: str) -> None:
    message = mood(**changes)
    with pytest.raises(MessageError, match=wrong):
        check_merge(message)
