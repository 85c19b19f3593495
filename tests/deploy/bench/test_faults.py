"""The fault bench: that it breaks things, that it would notice, and a short run of it."""

from __future__ import annotations

import json
import threading
from itertools import islice
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt import subscribe
from paho.mqtt.enums import CallbackAPIVersion

from deploy.bench.faults import forger, stranger
from deploy.bench.faults.compare import Comparison, compare, read_journal
from deploy.bench.faults.plan import KINDS, FaultMoment, FaultPlan
from deploy.bench.faults.processes import Disk, ManagedProcess
from deploy.bench.faults.school import FaultSchool
from edge.protocol.messages import Mood
from tests.conftest import Mosquitto, mood
from tests.free import wait
from tests.system.process import Roommood

pytestmark = pytest.mark.once

ROOMS = ("r1", "r2", "r3")


def moments(seed: int, count: int) -> list[FaultMoment]:
    plan = FaultPlan(seed, ROOMS)
    return list(islice(iter(plan.next, None), count))


def test_a_seed_decides_everything() -> None:
    assert moments(1, 50) == moments(1, 50) != moments(2, 50)


def test_every_kind_comes_before_any_comes_again() -> None:
    kinds = [fault.kind for moment in moments(3, 40) for fault in moment.faults]
    assert set(kinds[: len(KINDS)]) == set(KINDS)


WINDOWS = [mood(seq=seq) for seq in range(10)]


@pytest.mark.parametrize(
    ("outboxes", "comparison"),
    [
        (WINDOWS, Comparison(10, 0, 0, 0)),
        (WINDOWS[1:], Comparison(10, 1, 0, 0)),
        ([*WINDOWS, WINDOWS[3]], Comparison(10, 0, 1, 0)),
        ([*WINDOWS[:9], mood(seq=9, frames=31)], Comparison(10, 0, 0, 1)),
        ([*WINDOWS[4:], mood(seq=3, windows=4)], Comparison(10, 0, 0, 0)),
        ([*WINDOWS[3:], mood(seq=3, windows=4)], Comparison(10, 0, 1, 0)),
        ([*WINDOWS, mood(seq=10)], Comparison(10, 0, 0, 0)),
    ],
)
def test_what_is_wrong_is_seen(outboxes: list[Mood], comparison: Comparison) -> None:
    assert compare(WINDOWS, outboxes) == comparison


def test_a_journal_s_last_line_may_be_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(WINDOWS[0].encode() + b"\n" + WINDOWS[1].encode()[:50])
    assert read_journal(path) == [WINDOWS[0]]
    assert read_journal(tmp_path / "none") == []


def test_the_stranger_waits_for_a_broker_that_is_down(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    later = threading.Timer(1.0, mosquitto.start)
    later.start()
    stranger.send(mosquitto.port, "bench", "r1", 0.5)
    later.join()
    name = "roommood/v1/bench/r1/mood"
    message = subscribe.simple(name, port=mosquitto.port)  # type: ignore[no-untyped-call]  # paho's
    assert json.loads(message.payload)["device"] == "stranger"


@pytest.mark.parametrize("rules", [True, False])
def test_a_forger_is_heard_below_its_own_name_alone_where_rules_are(
    tmp_path: Path, rules: bool
) -> None:
    """And everywhere without them: what the bench would see, then, is an attack."""
    school = FaultSchool(tmp_path, 1, 0)
    windows = [mood(site="bench", room="r1", device="r1", seq=seq) for seq in range(3)]
    if not rules:
        (tmp_path / "mosquitto.acl").write_text("topic readwrite #\npattern readwrite #\n")
    topics: list[str] = []
    listener = mqtt.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda _client, _data, message: topics.append(message.topic)
    own, others = (
        list(f("bench", windows)) for f in (forger.in_its_own_room, forger.in_other_rooms)
    )
    school.broker.start()
    try:
        stranger.connect(listener, school.broker_port)
        listener.subscribe("roommood/#", qos=1)
        listener.loop_start()
        forger.forge(school.device_port, "bench", windows)
        wait(lambda: len(topics) >= len(own) + (0 if rules else len(others) + 1))
        listener.loop_stop()
    finally:
        school.stop()
        school.remove_disks()
    assert (set(topics) == {one.topic for one in own}) is rules


def test_who_does_not_end_when_told_to_is_noticed(tmp_path: Path) -> None:
    """Both are started again."""
    ignores = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    for script, ends in ((ignores, False), ("echo up; exec sleep 600", True)):
        log = tmp_path / f"{ends}.log"
        process = ManagedProcess("x", ["sh", "-c", script], log)
        process.start()
        wait(lambda log=log: log.exists() and b"up" in log.read_bytes())  # type: ignore[misc]  # bound
        assert process.end(30 if ends else 0.5) is ends
        wait(lambda log=log: log.read_bytes().count(b"up") == 2)  # type: ignore[misc]  # bound
        process.stop(0.2)


def test_a_disk_in_use_goes_all_the_same(tmp_path: Path) -> None:
    """Its folder can be removed; a run's figures are lost otherwise."""
    disk = Disk(tmp_path / "disk", 1)
    if not disk.can_be_full:
        pytest.skip("no disk of its own without root")
    with (disk.folder / "open").open("wb"):
        disk.remove()
        disk.folder.rmdir()


def test_a_short_run_loses_nothing(tmp_path: Path) -> None:
    state = tmp_path / "bench"
    words = ("--seed", 5, "--minutes", 0.5, "--agents", 2, "--json", "--state", state)
    with Roommood("bench", "faults", *words) as run:
        assert run.process.wait(170) == 0, run.errors
        figures = json.loads(run.output())
    assert figures["windows"] > 30
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == 0
    assert figures["unrecovered"] == figures["wrong"] == []
    assert sum(figures["faults"].values()) >= 3
    assert figures["recovery_s"]["median"] > 0


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("")
    with Roommood("bench", "faults", "--state", tmp_path) as run:
        assert run.process.wait(60) == 2
        run.wait_for_line("not empty: choose a new folder with --state")
