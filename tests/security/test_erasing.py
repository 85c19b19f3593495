"""What was erased stays erased; and a backup writes where it belongs, whatever it says."""

from __future__ import annotations

import io
import json
import tarfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from paho.mqtt import publish
from sqlalchemy import insert, select

from collector.retention.backup import backup
from collector.retention.restore import restore
from collector.service import Service
from collector.storage.database import connect
from collector.storage.store import Store
from collector.storage.tables import deliveries, links
from edge.common.errors import UserError
from tests.collector.school import OWN, School, post
from tests.conftest import Mosquitto, mood
from tests.free import wait

pytestmark = pytest.mark.once

PLANT = Path("/tmp/roommood-planted.pem")  # noqa: S108  # where the archive would write
TOPIC = "roommood/v1/school/r101/mood"


def test_what_was_erased_does_not_come_back(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Not from the broker at the next start, nor from the device, nor by a link, nor by webhook."""
    now = datetime.now(timezone.utc)
    old = [mood(seq=n, start=now - timedelta(seconds=60 - 15 * n)) for n in range(3)]

    def send(seq: int) -> None:
        publish.single(TOPIC, old[seq].encode(), qos=1, retain=True, port=mosquitto.port)

    with School(tmp_path, mosquitto.port) as school:
        school.staff()
        send(0)
        wait(lambda: len(school.store.latest()) == 1)
        with school.engine.begin() as connection:
            for room in ("r101", "r102"):
                body = json.dumps({"data": {"site": "school", "room": room}})
                row = {"url": "https://x", "body": body, "tries": 0, "next": 1e12}
                connection.execute(insert(deliveries).values(row | {"given_up": False}))
        with school.by_link(OWN) as viewer, school.as_person("ann") as ann:
            assert viewer.get("/rooms/school/r101").status_code == 200
            assert post(ann, "/rooms/school/r101/erase", confirm="r101").status_code == 303
            assert viewer.get("/api/rooms/school/r101/moods").status_code == 401
        with school.engine.connect() as connection:
            left = [
                json.loads(row.body)["data"]["room"]
                for row in connection.execute(select(deliveries))
            ]
            assert connection.execute(select(links)).all() == []
        assert left == ["r102"]
        send(1)  # the device's backlog
        time.sleep(1)
        assert school.store.latest() == []
    send(2)  # while the collector is away: the broker keeps it
    again = Service(school.settings)
    again.start()
    try:
        wait(lambda: not again.problems())
        time.sleep(1)
        engine = connect(school.settings.database)
        assert Store(engine).latest() == []
        later = mood(seq=9, start=datetime.now(timezone.utc) + timedelta(seconds=1))
        publish.single(TOPIC, later.encode(), qos=1, port=mosquitto.port)
        wait(lambda: len(Store(engine).latest()) == 1)
        engine.dispose()
    finally:
        again.stop()


@pytest.mark.parametrize(
    "name",
    [
        f"site/{PLANT}",
        "site/../planted.pem",
        "site/broker/../../planted.pem",
        "site/broker/deep/planted.pem",
        "site/.ssh",
        "site/",
        "site/a\nb.pem",
    ],
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_backup_chooses_no_place(tmp_path: Path, name: str, kind: bytes) -> None:
    engine = connect(f"sqlite:///{tmp_path}/c.sqlite")
    state = tmp_path / "state"
    state.mkdir()
    (state / "secret.key").write_bytes(bytes(32))
    good = tmp_path / "good.tar.gz"
    backup(engine, state, good)
    bad = tmp_path / "bad.tar.gz"
    with tarfile.open(good) as old, tarfile.open(bad, "w:gz") as new:
        for member in old:
            new.addfile(member, old.extractfile(member))
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, "secret.key", 4 * (kind == tarfile.REGTYPE)
        new.addfile(info, io.BytesIO(b"evil"))
    before = set(tmp_path.rglob("*")) | set(PLANT.parent.glob(PLANT.name))
    with pytest.raises(UserError, match="not a collector's backup"):
        restore(engine, tmp_path / "fresh", bad, tmp_path / "site")
    after = set(tmp_path.rglob("*")) | set(PLANT.parent.glob(PLANT.name))
    assert {path.name for path in after - before} <= {"fresh", "secret.key", "site", "broker"}
    engine.dispose()
