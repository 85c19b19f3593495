"""The demo as a newcomer runs it, on the simulated classroom and on the shared videos."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from playwright.sync_api import Browser, expect

from edge.protocol.messages import Mood, decode
from tests.conftest import ROOT
from tests.system.browser import context
from tests.system.process import Roommood


class Run(NamedTuple):
    """One demo from its start to its end, as it was seen from outside."""

    moods: list[dict[str, Any]]
    listening: set[str]
    """The addresses on which it, or a child of it, listened."""
    family: list[int]
    """Its process and its children's."""
    status: int
    errors: list[str]


def watch(*options: object, interrupt: bool = False) -> Run:
    """Runs it until it ends, by itself or, after its first window, by Ctrl-C."""
    with Roommood("demo", *options, "--port", 0, "--json") as demo:
        moods = [demo.mood()]
        main = psutil.Process(demo.process.pid)
        everyone = [main, *main.children(recursive=True)]
        listening = {
            connection.laddr.ip
            for process in everyone
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        if interrupt:
            demo.interrupt()
        moods += demo.rest()
        family = [process.pid for process in everyone]
        return Run(moods, listening, family, demo.process.returncode, demo.errors)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def lesson(state: Path) -> Run:
    """The simulated classroom, which ends by itself."""
    return watch("--seconds", 16, "--window", 4, "--state", state)


@pytest.fixture(scope="module")
def second_run(lesson: Run, state: Path) -> Run:
    """The same folder taken up by a second run, which is interrupted."""
    assert lesson.status == 0
    return watch("--window", 2, "--state", state, interrupt=True)


def full(moods: list[dict[str, Any]], window: float) -> list[dict[str, Any]]:
    return [mood for mood in moods if mood["seconds"] >= window]


def test_the_simulated_classroom(lesson: Run) -> None:
    assert lesson.status == 0, lesson.errors
    assert not [line for line in lesson.errors if "rejected" in line]
    moods = lesson.moods
    assert len(full(moods, 4)) >= 3
    for line in moods:
        Mood.model_validate(line, strict=False)
        assert line["counts"] is None or sum(line["counts"].values()) == line["faces"]
    last = full(moods, 4)[-1]
    assert 15 <= last["faces"] <= 24
    read_right = sum(last["counts"][name] for name in ("happy", "neutral", "surprise"))
    assert read_right >= 0.6 * last["faces"]


@pytest.mark.once
def test_the_school_looks_lived_in_from_the_first_page(chromium: Browser) -> None:
    """No window of the camera has come yet: the page has a lesson that goes on, and is marked."""
    browsing = context(chromium, locale="en-GB")
    page = browsing.new_page()
    with Roommood("demo", "--window", 600, "--port", 0, "--json") as demo:
        address = demo.wait_for_line("the page: ").rpartition(" ")[2]
        start = time.monotonic()
        page.goto(address)
        expect(page.locator("#timeline path[class^=tone]").first).to_be_visible()
        print(f"{time.monotonic() - start:.2f} s from the address to a page worth showing")
        expect(page.locator(".made-up")).to_contain_text("Demonstration")
        expect(page.locator("#lesson")).to_contain_text("Optics 8b, since")
        page.get_by_role("link", name="Rooms").click()
        expect(page.locator(".rooms .card")).to_have_count(4)
        page.get_by_role("link", name="Lessons").click()
        assert page.locator(".slot").count() >= 2
        page.get_by_role("link", name="Optics 8b").first.click()
        expect(page.locator("[data-finding]").first).to_contain_text("surprised")
        browsing.close()


def test_everything_listens_on_loopback_only(lesson: Run) -> None:
    assert lesson.listening == {"127.0.0.1"}


@pytest.mark.once
def test_ctrl_c_stops_everything(second_run: Run) -> None:
    assert len(second_run.family) >= 2
    assert second_run.status == 0, second_run.errors
    assert not [pid for pid in second_run.family if psutil.pid_exists(pid)]


@pytest.mark.once
def test_state_is_kept_and_taken_up_again(lesson: Run, second_run: Run, state: Path) -> None:
    first, second = ({mood["boot"] for mood in run.moods} for run in (lesson, second_run))
    assert len(first) == len(second) == 1
    assert first != second
    with sqlite3.connect(state / "collector.sqlite") as database:
        boots = database.execute("SELECT DISTINCT boot FROM mood").fetchall()
    assert first | second < {one for (one,) in boots}
    decode(Mood, Mood.model_validate(second_run.moods[0], strict=False).encode())


@pytest.mark.once
def test_the_mosaic_of_twelve_people(data: Path) -> None:
    source = data / "rooms_mosaic" / "mosaic_3x4.mp4"
    with Roommood(
        *("demo", "--source", source, "--seconds", 20, "--window", 5, "--port", 0, "--json")
    ) as demo:
        moods = full(demo.rest(), 5)
        assert demo.process.returncode == 0, demo.errors
    assert len(moods) >= 3
    assert all(10 <= mood["faces"] <= 12 for mood in moods)
    sums = {name: sum(mood["counts"].get(name, 0) for mood in moods) for name in moods[0]["counts"]}
    by_name = {name: n for name, n in sums.items() if name not in ("uncertain", "other")}
    # Three of them smile, as many as may be told at all: with one read otherwise they are `other`.
    smiles = by_name["happy"] + sums.get("other", 0)
    assert 0 < smiles < by_name["neutral"]
    assert smiles + by_name["neutral"] > 0.9 * sum(sums.values())


@pytest.mark.once
def test_four_people_are_too_few_to_publish(data: Path) -> None:
    source = data / "rooms_video" / "classroom_720p_20s.mp4"
    with Roommood(
        *("demo", "--source", source, "--seconds", 11, "--window", 5, "--port", 0, "--json")
    ) as demo:
        moods = demo.rest()
        assert demo.process.returncode == 0, demo.errors
    assert len(moods) >= 2
    for mood in moods:
        assert (mood["withheld"], mood["faces"], mood["counts"]) == ("few_faces", None, None)


@pytest.mark.once
def test_an_empty_room_is_told_as_few_faces(data: Path) -> None:
    source = data / "rooms_video" / "bottle-detection.mp4"
    with Roommood(
        *("demo", "--source", source, "--seconds", 5, "--window", 4, "--port", 0, "--json")
    ) as demo:
        assert demo.mood()["withheld"] == "few_faces"


@pytest.mark.once  # the kernel does it
def test_a_killed_demo_leaves_no_child_behind() -> None:
    with Roommood("demo", "--window", 2, "--port", 0, "--json") as demo:
        demo.mood()
        children = psutil.Process(demo.process.pid).children(recursive=True)
        assert len(children) == 2  # the broker and the agent
        demo.process.kill()
        assert psutil.wait_procs(children, 60)[1] == []


@pytest.mark.once
def test_a_reader_that_goes_away_ends_the_demo() -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "deploy.commands.cli",
            "demo",
            "--window",
            "1",
            "--port",
            "0",
            "--json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert b"roommood.mood/1" in demo.stdout.readline()
        demo.stdout.close()
        assert demo.wait(15) == 0
        assert b"Traceback" not in demo.stderr.read()


@pytest.mark.once  # the kernel refuses the port
def test_a_port_in_use_is_named() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with Roommood("demo", "--port", port) as demo:
            demo.process.wait(60)
        assert demo.process.returncode == 2
        assert f"127.0.0.1:{port}" in demo.wait_for_line("roommood: web:")


@pytest.mark.once
def test_a_film_that_breaks_off_ends_the_demo_with_its_name(tmp_path: Path, data: Path) -> None:
    whole = (data / "rooms_video" / "bottle-detection.mp4").read_bytes()
    cut_film = tmp_path / "broken.mp4"
    cut_film.write_bytes(whole[: len(whole) // 3])
    with Roommood("demo", "--source", cut_film, "--seconds", 8, "--port", 0) as demo:
        demo.process.wait(60)
    assert demo.process.returncode == 2
    assert "broken.mp4" in demo.errors[-1]
