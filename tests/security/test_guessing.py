"""Guesses at passwords and codes are counted before they are looked at, and slow the guesser."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from collector.access import hashing
from collector.access.accounts import Accounts
from collector.access.limits import Guesses, Limits, Pace, network_of
from collector.pages import password_sign_in
from edge.common.errors import UserError
from tests.collector.school import PASSWORD, School, post, token_in

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with School(tmp_path_factory.mktemp("guessing")) as server:
        server.staff()
        yield server


def guesser(school: School, place: str) -> Callable[[str], int]:
    """Tries a wrong password for a name from an address; as light a client as there is."""
    with school.client() as client:
        token = token_in(client.get("/sign-in").text)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = urlsplit(school.service.url)
    headers = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}

    def guess(name: str) -> int:
        connection = HTTPConnection(
            str(url.hostname), url.port, timeout=60, source_address=(place, 0)
        )
        body = urlencode({"name": name, "password": "guess" * 10, "csrftoken": token})
        connection.request("POST", "/sign-in", body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    return guess


def test_many_anonymous_sign_ins_at_once_stall_nothing(school: School) -> None:
    """200 at once, with the memory and the answers to somebody else looked at meanwhile."""
    guess = guesser(school, "127.0.0.11")
    with school.as_person("ann") as ann:
        ann.get("/retention")
        answers, over = [0.0], threading.Event()

        def watch() -> None:
            while not over.is_set():
                start = time.monotonic()
                assert ann.get("/retention").status_code == 200
                answers.append(time.monotonic() - start)

        watcher = threading.Thread(target=watch)
        watcher.start()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with ThreadPoolExecutor(200) as pool:
            statuses = Counter(pool.map(guess, [f"somebody{n}" for n in range(200)]))
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        over.set()
        watcher.join()
    assert set(statuses) == {403, 429}
    # Few were hashed, and while they were, pages went on being answered.
    assert statuses[403] <= 60
    assert growth < 64 * 1024 * (hashing.AT_ONCE + 2), f"{growth} KiB more"
    assert len(answers) > 5


def test_whoever_comes_at_once_is_counted_before_the_hash(school: School) -> None:
    free = password_sign_in.NAME_HERE.free
    with ThreadPoolExecutor(12) as pool:
        statuses = Counter(pool.map(guesser(school, "127.0.0.12"), ["otto"] * 12))
    assert statuses[403] <= free


def test_the_owner_signs_in_while_somebody_guesses_at_the_name(school: School) -> None:
    with school.client() as browser:
        assert post(browser, "/sign-in", name="tess", password=PASSWORD).status_code == 303
        post(browser, "/sign-out")
        with school.client() as guesser:
            wrong = [
                post(guesser, "/sign-in", name="tess", password="x").status_code for _ in range(9)
            ]
            assert wrong[-1] == 429
            assert post(guesser, "/sign-in", name="tess", password=PASSWORD).status_code == 429
            # Nor does another name of the same school's address wait for it.
            assert post(guesser, "/sign-in", name="ian", password=PASSWORD).status_code == 303
        assert post(browser, "/sign-in", name="tess", password=PASSWORD).status_code == 303


def test_a_browser_is_known_for_the_account_that_signed_in_there_alone(school: School) -> None:
    with school.client() as client:
        post(client, "/sign-in", name="ian", password=PASSWORD)
        post(client, "/sign-out")
        free = password_sign_in.NAME_HERE.free
        names = ["ann", "Ann", "ANN ", "\uff41nn", "ann", "ann", "ann", "ann"]
        tries = [post(client, "/sign-in", name=n, password="x").status_code for n in names]
    assert tries[: free + 1].count(403) <= free
    assert tries[-1] == 429


def test_the_wait_grows_with_each_guess_and_ends() -> None:
    guesses, pace = Guesses(), Pace(free=2, first_s=0.05, longest_s=0.2)
    key = (pace, ("name",))
    assert [guesses.wait(key) for _ in range(2)] == [0.0, 0.0]
    waits = []
    for _ in range(4):
        left = guesses.wait(key)
        waits.append(round(left, 2))
        time.sleep(left)
        assert guesses.wait(key) == 0.0
    assert waits == sorted(waits)
    assert waits[-1] <= 0.2
    guesses.take_back(("name",))
    assert guesses.wait(key) == 0.0  # this one was not looked at; the ones before still count
    assert guesses.wait(key) > 0.1
    guesses.right(("name",))
    assert [guesses.wait(key) for _ in range(2)] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_a_64_of_ipv6_is_one_place(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_forged_forwarded_address_is_nobodys(school: School) -> None:
    with school.client(headers={"x-forwarded-for": "203.0.113.9"}) as client:
        post(client, "/sign-in", name="nobody at all", password="x")
    places = {entry.who for entry in school.service.audit.newest(100)}
    # Refusals of one place are folded, so ours may have been told before; a new place never is.
    assert "203.0.113.9" not in places
    assert "127.0.0.1" in places


def test_wrong_codes_slow_nobody_who_has_a_right_one() -> None:
    limits = Limits()
    with ThreadPoolExecutor(20) as pool:
        through = sum(pool.map(lambda _: limits.hit(10, "code", "here"), range(200)))
    assert through == 10


def test_of_two_administrators_who_remove_each_other_one_stays(school: School) -> None:
    accounts = Accounts(school.engine)
    for number in range(5):
        ann, bea = accounts.by_name("ann"), accounts.add(f"bea{number}", "administrator")
        refusals: list[UserError] = []

        def remove(name: str, refusal_list: list[UserError] = refusals) -> None:
            try:
                accounts.change(accounts.by_name(name), role="teacher")
            except UserError as refusal:
                refusal_list.append(refusal)

        both = [threading.Thread(target=remove, args=(one.name,)) for one in (ann, bea)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert len(refusals) == 1
        accounts.change(accounts.by_name("ann"), role="administrator")
        accounts.remove(accounts.by_name(bea.name))
