"""A page elsewhere whose name leads to the collector gets nothing from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collector.school import School
from tests.free import free_port, wait

pytestmark = pytest.mark.once

PORT = free_port()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    web = {"port": PORT, "url": "http://mood.school.example:8642"}
    server = School(tmp_path_factory.mktemp("hosts"), web=web)
    server.service.start()
    wait(lambda: status(server, "/sign-in", "localhost") == 200)
    yield server
    server.service.stop()
    server.engine.dispose()


def status(school: School, path: str, host: str) -> int:
    with school.client(headers={"host": host}) as client:
        return client.get(f"http://127.0.0.1:{PORT}{path}").status_code


@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/about/school", "/static/style.css"])
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8642", "evil.example.", "x" * 300 + ".example"),
        *("mood.school.example.evil.example", "127.0.0.1.evil.example"),
        *("a@evil.example", "mood.school.example@evil.example", "[::1].evil.example", "["),
    ],
)
def test_another_name_gets_nothing(school: School, path: str, host: str) -> None:
    assert status(school, path, host) == 421


@pytest.mark.parametrize(
    "host",
    [
        *("mood.school.example", "MOOD.school.example:8642", "mood.school.example."),
        *("localhost:1", "127.0.0.1:8642", "10.1.2.3", "[::1]:8642", "[fe80::1]", "collector"),
    ],
)
def test_its_own_names_and_addresses_do(school: School, host: str) -> None:
    assert status(school, "/sign-in", host) == 200
