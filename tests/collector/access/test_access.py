from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from collector.access import guard, hashing
from collector.access.accounts import NOBODY
from collector.access.policy import RIGHTS, ROUTES, sees_all
from collector.access.sessions import SCOPES
from collector.pages.people import DAY_S
from edge.common.errors import UserError
from tests.collector.school import OTHER, OWN, PASSWORD, School, post, report_reader
from tests.conftest import Mosquitto
from tests.free import wait
from tests.room_device import CALM, PlayedDevice

pytestmark = pytest.mark.once

READER = "reader of own"
"""Whoever has a link to the report that is asked for."""
SUBJECTS = ("nobody", "ann", "ian", "tess", "otto", "viewer of own", "viewer of other", READER)
OF_OWN = {"tess", "viewer of own"}
"""Whose room OWN is, and, for the account, the lesson."""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder: Path = tmp_path_factory.mktemp("school")
    broker = Mosquitto(folder)
    broker.start()
    patched = pytest.MonkeyPatch()
    patched.setattr(guard, "OFTEN", 100_000)  # the matrix asks more often than anybody
    with School(folder, broker.port) as server:
        server.staff()
        for room in (OWN, OTHER):
            server.windows(room)
        yield server
    patched.undo()
    broker.stop()


@pytest.fixture(scope="module")
def clients(school: School) -> dict[str, httpx.Client]:
    persons = {name: school.as_person(name) for name in ("ann", "ian", "tess", "otto")}
    persons["nobody"] = school.client()
    persons["viewer of own"], persons["viewer of other"] = (
        school.by_link(OWN),
        school.by_link(OTHER),
    )
    persons[READER] = readers[school] = report_reader(school, school.old_lesson())
    return persons


readers: dict[School, httpx.Client] = {}
"""Their link leads to one lesson; asked about another one, they get one to that."""


def role(subject: str) -> str:
    roles = {"ann": "administrator", "ian": "it", "tess": "teacher", "otto": "teacher"}
    return roles.get(subject, "viewer")


def may(subject: str, method: str, path: str) -> bool:
    """What the two tables of the policy say, and nothing else."""
    right = RIGHTS[ROUTES[method, path]]
    own = subject in OF_OWN
    if right is None:
        return True
    if subject == "nobody" or role(subject) not in right.roles:
        return False
    if right.about_own and role(subject) == "viewer":
        return False
    if role(subject) == "viewer" and right.of is not None:
        return right.of == "lesson" if subject == READER else right.of == "room" and own
    if right.of is None or role(subject) == "administrator":
        return True
    return own or (right.of == "room" and sees_all(role(subject)))  # type: ignore[arg-type]  # a role's name


def ask(school: School, client: httpx.Client, method: str, path: str) -> int:
    """The status of a request without any field, about OWN; 0 for a page that sends to sign in."""
    lesson = school.old_lesson() if "{lesson}" in path else None
    values = {"site": OWN[0], "room": OWN[1], "lesson": lesson.id if lesson else 0}
    values |= {"link": 0, "token": 0, "account": 999, "code": "aaaaa", "secret": "x"}
    values |= {"number": 999, "marker": 999, "decision": "refuse", "stage": "withdrawn"}
    address = path.format(**values)
    if lesson is not None and client is readers.get(school):
        client = report_reader(school, lesson)
    if method == "POST":
        answer = post(client, address)
        status, headers = answer.status_code, answer.headers
    else:
        with client.stream("GET", address) as response:
            status, headers = response.status_code, response.headers
    if status == 303 and headers["location"].startswith("/sign-in?next="):
        return 0
    return status


REFUSALS = {0, 401, 403}


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_every_cell_of_the_access_matrix(
    school: School, clients: dict[str, httpx.Client], subject: str, method: str, path: str
) -> None:
    if path in ("/sign-out", "/sign-in", "/enter/{secret}"):
        pytest.skip("open to all, and it would change who is asking: tested below")
    status = ask(school, clients[subject], method, path)
    assert status < 500 or (path == "/healthz" and status == 503)
    assert (status not in REFUSALS) == may(subject, method, path), status


def test_no_route_is_outside_the_policy(school: School) -> None:
    guard_routes = {
        (method, context.path)
        for context in iter_route_contexts(school.service.app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.methods or ()
    }
    assert guard_routes == set(ROUTES)


def test_the_list_of_rooms_is_ones_own(clients: dict[str, httpx.Client]) -> None:
    answers = {who: clients[who].get("/api/rooms").json() for who in ("ann", "ian", "tess", "otto")}
    names = {who: [room["room"] for room in rooms] for who, rooms in answers.items()}
    both = ["r101", "r102"]
    assert names == {"ann": both, "ian": both, "tess": ["r101"], "otto": ["r102"]}
    assert [room["mood"] for room in answers["ian"]] == [None, None]
    assert answers["tess"][0]["mood"]["faces"] == 12


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_may_what_its_scope_says_and_no_more(school: School, scope: str) -> None:
    account = school.people["ann"].id
    secret = school.service.sessions.make_token(account, "script", [scope], DAY_S)
    with school.client(headers={"authorization": f"Bearer {secret}"}) as client:
        status = {
            "read": client.get("/api/rooms").status_code,
            "control": client.post(
                "/api/rooms/school/r101/command", json={"command": "resume"}
            ).status_code,
            "metrics": client.get("/metrics").status_code,
            "manage": client.get("/accounts").status_code,
        }
    assert status == {name: 200 if name == scope else 403 for name in SCOPES}


def test_a_token_that_is_revoked_or_has_expired_opens_nothing(school: School) -> None:
    sessions, account = school.service.sessions, school.people["tess"].id
    late = sessions.make_token(account, "late", ["read"], -1)
    late_token = sessions.make_token(account, "gone", ["read"], 60)
    (record,) = [one for one in sessions.tokens(account) if one.name == "gone"]
    sessions.revoke(account, record.id)
    for secret in (late, late_token, "rm_nothing", "rm"):
        with school.client(headers={"authorization": f"Bearer {secret}"}) as client:
            assert client.get("/api/rooms").status_code == 401
    with pytest.raises(UserError, match="scopes: unknown or no scope: choose from read"):
        sessions.make_token(account, "all", ["everything"], 60)


def test_a_link_shows_one_room_until_it_expires_or_is_ended(school: School) -> None:
    late = school.service.sessions.make_link("ann", -1, OWN, account=school.people["ann"].id)
    with school.client() as client:
        assert client.get(f"/enter/{late}").status_code == 410
    with school.by_link(OWN) as client:
        assert client.get("/rooms/school/r101").status_code == 200
        assert client.get("/rooms/school/r102").status_code == 403
        assert "Turn the camera off" not in client.get("/rooms/school/r101").text
        for link in school.service.sessions.links(OWN):
            school.service.sessions.cut(OWN, link.id)
        assert client.get("/api/rooms/school/r101/moods").status_code == 401


def test_a_feed_ends_with_the_link_that_opened_it(school: School) -> None:
    device = PlayedDevice(school.settings.broker.port)
    for path in ("/rooms/school/r101/live", "/api/rooms/school/r101/live"):
        with school.by_link(OWN) as client, client.stream("GET", path) as feed:
            lines = feed.iter_lines()
            assert any(line.startswith("data:") for line in lines)
            for link in school.service.sessions.links(OWN):
                school.service.sessions.cut(OWN, link.id)
            over = threading.Event()
            teller = threading.Thread(target=news, args=(device, over))
            teller.start()
            events = [line for line in lines if line.startswith("data:")]
            over.set()
            teller.join()
            assert events == []
    device.stop()


def news(device: PlayedDevice, over: threading.Event) -> None:
    """Something new in OWN every moment."""
    while not over.wait(0.1):
        device.window(CALM)


def test_a_form_without_its_token_changes_nothing(school: School) -> None:
    with school.as_person("ann") as client:
        answer = client.post("/accounts", data={"name": "mallory", "role": "administrator"})
        assert answer.status_code == 403
        assert "out of date" in answer.text
        other = client.post("/accounts", data={"name": "m", "role": "it", "csrftoken": "guessed"})
        assert other.status_code == 403
        text = client.post("/accounts", content="x", headers={"content-type": "text/plain"})
        assert text.status_code == 415
        large = client.post("/accounts", data={"name": "x" * 70_000})
        assert large.status_code == 413
        reply = client.post(
            "/accounts",
            content=b"name=\xff\xfe",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert reply.status_code == 400
    assert {one.name for one in school.service.accounts.all()} == set(school.people)


def test_passwords_are_argon2_and_guesses_are_few(school: School) -> None:
    accounts = school.service.accounts
    accounts.add("bob", "teacher", [], PASSWORD)
    with school.engine.connect() as connection:
        hashes = connection.exec_driver_sql("SELECT password FROM account").scalars().all()
    assert all(str(one).startswith("$argon2id$") for one in hashes)
    with school.client() as client:
        wrong = [post(client, "/sign-in", name="bob", password="guess").status_code] * 4
        wrong += [post(client, "/sign-in", name="bob", password="x").status_code for _ in range(6)]
        assert wrong == [403] * 8 + [429] * 2
        # Even the right one has to wait now; somebody else does not.
        assert post(client, "/sign-in", name="bob", password=PASSWORD).status_code == 429
        assert post(client, "/sign-in", name="tess", password=PASSWORD).status_code == 303
    accounts.remove(accounts.by_name("bob"))


def test_signing_out_and_a_new_password_end_sessions(school: School) -> None:
    accounts = school.service.accounts
    accounts.add("carl", "teacher", [OWN], PASSWORD)
    with school.as_person("carl") as client, school.client(cookies=client.cookies) as thief:
        assert thief.get("/rooms/school/r101").status_code == 200
        assert post(client, "/sign-out").status_code == 303
        assert thief.get("/api/rooms").status_code == 401
    school.signs_in_anew("carl")
    with school.as_person("carl") as client:
        short = post(client, "/account/password", old=PASSWORD, new="short")
        assert short.status_code == 422
        assert post(client, "/account/password", old="x", new="a new password").status_code == 403
        assert post(client, "/account/password", old=PASSWORD, new="a new password").is_redirect
        assert client.get("/api/rooms").status_code == 401
    assert accounts.verify("carl", PASSWORD) is None
    assert accounts.verify("carl", "a new password") is not None
    accounts.remove(accounts.by_name("carl"))


def test_the_last_administrator_stays(school: School) -> None:
    ann = school.people["ann"]
    with pytest.raises(UserError, match="last administrator"):
        school.service.accounts.remove(ann)
    with pytest.raises(UserError, match="last administrator"):
        school.service.accounts.change(ann, role="teacher")


def test_nobody_is_led_elsewhere_after_signing_in(school: School) -> None:
    for next in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"):
        with school.client() as client:
            answer = post(client, "/sign-in", name="tess", password=PASSWORD, next=next)
            assert answer.headers["location"] == "/"


def test_cookies_are_closed_to_scripts_and_other_sites(school: School) -> None:
    with school.client() as client:
        answer = post(client, "/sign-in", name="tess", password=PASSWORD)
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie


def test_many_requests_of_one_are_slowed(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "OFTEN", 5)
    with school.by_link(OWN) as client:
        statuses = [client.get("/api/rooms").status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3


def test_what_was_done_is_in_the_log(school: School) -> None:
    audit = school.service.audit
    before = len(audit)
    with school.as_person("tess") as client:
        post(client, "/rooms/school/r101/command", command="pause")
        client.get("/rooms/school/r101")
        client.get("/rooms/school/r102")
    wait(lambda: ("tess", "pause", "school/r101") in audit_all(school)[: len(audit) - before])
    assert ("tess", "refused", "GET /rooms/school/r102") in audit_all(school)
    assert ("tess", "room viewed", "school/r101") in audit_all(school)
    assert list(audit.wrong()) == []


def audit_all(school: School) -> list[tuple[str, str, str]]:
    return [(e.who, e.what, e.about) for e in school.service.audit.newest(100_000)]


def test_a_name_that_is_not_there_takes_as_long() -> None:
    """What is checked in its place was made with the parameters that are in force."""
    assert not hashing.is_old(NOBODY)
