"""Small doors: lines that a device puts into the broker's log, forms of other pages, tokens that
make tokens, sessions that a link leaves behind, and protocols that nobody speaks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.access.audit import AuditLog
from collector.fleet.broker_log import BrokerLog
from collector.storage.database import connect
from tests.collector.school import OWN, School, post

pytestmark = pytest.mark.once

PREFIX = "roommood/v1/school/r102/command/"
FORGERIES = [
    "New connection from 10.9.9.9:5 on port 39949.",
    "Client connection from 10.8.8.8 failed: error:0A000086:SSL routines::verify failed",
    "1: New connection from 10.9.9.9:5 on port 39949.",
    "Dropped too large PUBLISH from r103 (d0, q1, r0, m1, 'x', ...)",
    "Client r103 disconnected due to oversize packet",
]


@pytest.mark.parametrize("text", FORGERIES)
def test_a_topic_makes_no_line_of_its_own_in_the_audit_log(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broker.log"
    path.write_text("")
    log = BrokerLog(path, AuditLog(connect(f"sqlite:///{tmp_path}/c.sqlite"), tmp_path, bytes(32)))
    denial = f"Denied PUBLISH from r101 (d0, q1, r1, m2, '{PREFIX}{text}', ... (1 bytes))"
    failure = "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed"
    path.write_text(f"1: New connection from 10.0.0.9:1 on port 8883.\n2: {denial}\n3: {failure}\n")
    (who, what, about), (address, refusal, _) = log.news()
    assert (who, what, about.startswith(PREFIX)) == ("r101", "topic refused", True)
    assert (address, refusal) == ("10.0.0.9", "connection refused")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with School(tmp_path_factory.mktemp("doors")) as server:
        server.staff()
        yield server


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403)])
def test_a_form_of_another_page_is_refused_whatever_token_it_has(
    school: School, site: str, status: int
) -> None:
    with school.as_person("tess") as teacher:
        teacher.headers["sec-fetch-site"] = site
        assert post(teacher, "/language", language="de").status_code == status
        teacher.headers["sec-fetch-site"] = "same-origin"
        assert post(teacher, "/language", language="de").status_code == 303


def test_a_link_ends_the_session_before_it(school: School) -> None:
    with school.as_person("tess") as browser:
        before = dict(browser.cookies)
        account = school.people["ann"].id
        link = school.service.sessions.make_link("ann", 3600, OWN, account=account)
        assert browser.get(f"/enter/{link}").status_code in (302, 303)
        with school.client(cookies=before) as old:
            assert old.get("/account").status_code != 200


def test_a_token_makes_none_that_may_more(school: School) -> None:
    account = school.people["tess"].id
    secret = school.service.sessions.make_token(account, "manager", ["manage"], 60.0)
    with school.client(headers={"authorization": f"Bearer {secret}"}) as script:
        for scope, status in (("read", 403), ("control", 403), ("manage", 303)):
            answer = post(script, "/account/tokens", name="another", days="1", scope=scope)
            assert answer.status_code == status


def test_a_websocket_is_an_ordinary_request(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    hello = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    with caplog.at_level(logging.WARNING), school.client() as browser:
        for _ in range(20):
            answer = browser.get("/" + 3000 * "A", headers=hello | {"sec-websocket-key": "eA=="})
            assert answer.status_code in (303, 404, 403)
    assert not caplog.records
