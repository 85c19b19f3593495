"""What many tests need: the shared material, a real Mosquitto, messages to send."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from edge.protocol.messages import Mood
from tests.free import free_port, wait_for_port
from tests.postgres import Postgres

if TYPE_CHECKING:
    from gpiozero.pins.mock import MockFactory  # the same

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
BOOT = UUID("7a9e1f60-7d0c-4f0e-9d3a-0d6a2f3b4c5d")

with contextlib.suppress(ImportError):  # where training is tested, it is not installed
    from hypothesis import settings

    # The same examples each time, for as long as they take: whether a change lands is no matter of
    # luck or of a busy machine. New ones are looked for with --hypothesis-profile=default.
    settings.register_profile("landing", derandomize=True, deadline=None)
    settings.load_profile("landing")
    # For the second Python, where these would be the very same examples again: enough to see that
    # its packages take them. A test that says its own number keeps to it.
    settings.register_profile("again", settings.get_profile("landing"), max_examples=20)


@pytest.fixture(scope="session")
def data() -> Path:
    """The shared photographs, videos and faces."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not there: this test needs the shared material")
    return DATA


WAIT_LONG = (
    *("collector/storage/test_kill_retention.py", "collector/storage/test_upgrade.py"),
    *("system/", "deploy/", "security/test_erased_returns.py", "collector/test_fuzz.py", "models/"),
)
"""Files that go to the workers first: their tests take long, and none should end alone."""


SERVERS = {"mosquitto", "postgres", "broker", "disk", "site", "chromium", "nginx", "nats"}
"""Fixtures that start a server or mount a disk: `tests/run.sh --fast` does without their tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        uses = set(getattr(item, "fixturenames", ()))
        if SERVERS & uses or "postgresql" in item.name:
            item.add_marker("server")

    def place(item: pytest.Item) -> int:
        file = item.nodeid.removeprefix("tests/")
        places = (at for at, begin in enumerate(WAIT_LONG) if file.startswith(begin))
        return next(places, len(WAIT_LONG))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Five thousand tests and all their modules stay until the end: they are not gone through again
    each time that Python looks for what can be forgotten."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _new_databases() -> Iterator[None]:
    """See tests/new_databases.py."""
    with pytest.MonkeyPatch.context() as patched:
        with contextlib.suppress(ImportError):  # where training is tested, no database is
            from collector.storage import database  # noqa: PLC0415
            from tests.new_databases import upgrade_quickly  # noqa: PLC0415

            patched.setattr(database, "upgrade", upgrade_quickly)
        yield


KEEPS = {"school": {"windows_days": 3650}}
"""A site's retention for which the time of `mood` is not long past."""


def mood(**changes: Any) -> Mood:
    """A valid mood, with some fields changed."""
    fields: dict[str, Any] = {
        "schema": "roommood.mood/1",
        "site": "school",
        "room": "r101",
        "device": "r101",
        "boot": BOOT,
        "seq": 0,
        "start": datetime(2026, 3, 2, 8, 15, tzinfo=timezone.utc),
        "seconds": 15.0,
        "clock": "synced",
        "frames": 30,
        "faces": 12,
        "counts": {"happy": 5, "neutral": 4, "uncertain": 3},
        "withheld": None,
        "model": "0123456789ab",
    }
    return Mood.model_validate(fields | changes)


class Mosquitto:
    """A real broker on loopback that a test may stop and start again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """The pins of a Raspberry Pi, simulated."""
    from gpiozero import Device  # noqa: PLC0415  # not where models are trained
    from gpiozero.pins.mock import MockFactory  # noqa: PLC0415  # the same

    factory = MockFactory()
    Device.pin_factory = factory
    yield factory
    factory.reset()
    Device.pin_factory = None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="roommood-postgres-") as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()
