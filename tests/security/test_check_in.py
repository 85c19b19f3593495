"""A teacher who votes in their own class learns no pupil's answer."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from collector.lessons.ballots import THIRDS, Ballots, inexact
from collector.lessons.checkins import ANSWERS, CheckIns
from tests.collector.school import OWN, School, token_in

TRUE_ANSWERS: dict[str, int] = {"well": 6, "so_so": 6, "lost": 6}
"""What the teacher has voted, so that every number is large enough to be shown."""

ROUNDS = 6000


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with School(tmp_path) as new_school:
        new_school.staff()
        yield new_school


def guess_right(show: Callable[[dict[str, int], int], dict[str, int]]) -> float:
    """The share of rounds in which the best guess, learnt from other rounds, is the answer."""
    observations: list[tuple[str, tuple[int, ...]]] = []
    for number in range(2 * ROUNDS):
        answer: str = ANSWERS[number % len(ANSWERS)]
        counts = {**TRUE_ANSWERS, answer: TRUE_ANSWERS[answer] + 1}
        observations.append((answer, tuple(show(counts, number).values())))
    guesses: dict[tuple[int, ...], Counter[str]] = {}
    for answer, cells in observations[:ROUNDS]:
        guesses.setdefault(cells, Counter())[answer] += 1
    right = sum(
        cells in guesses and guesses[cells].most_common(1)[0][0] == answer
        for answer, cells in observations[ROUNDS:]
    )
    return right / ROUNDS


def test_whoever_knows_all_other_answers_guesses_the_last_little_better_than_without() -> None:
    odds = (3 / THIRDS) ** 2
    most = odds / (odds + 2)
    assert guess_right(lambda counts, _: counts) == 1, "shown as they are, the attack works"
    right = guess_right(lambda counts, number: inexact(counts, b"key", str(number)))
    assert 1 / 3 - 0.05 < right < most
    print(f"right in {right:.0%} of {ROUNDS} rounds; by chance {1 / 3:.0%}, never above {most:.0%}")


def test_a_round_is_off_in_the_same_way_at_each_asking_and_only_here() -> None:
    cells = [inexact(TRUE_ANSWERS, b"key", "7/3") for _ in range(3)]
    assert cells[0] == cells[1] == cells[2]
    others = {tuple(inexact(TRUE_ANSWERS, b"key", f"7/{number}").values()) for number in range(20)}
    assert len(others) > 3
    assert all(sum(other) == sum(TRUE_ANSWERS.values()) for other in others)
    assert {
        tuple(inexact(TRUE_ANSWERS, key, "7/3").values()) for key in (b"a", b"b", b"c", b"d")
    } != {tuple(cells[0].values())}


def test_numbers_are_near_what_was_answered() -> None:
    errors = [
        abs(inexact({"well": 14, "so_so": 7, "lost": 4}, b"key", str(number))["lost"] - 4)
        for number in range(2000)
    ]
    assert sum(errors) / len(errors) < 3
    assert math.isclose(
        sum(inexact(TRUE_ANSWERS, b"key", "1").values()), sum(TRUE_ANSWERS.values())
    )


def test_a_ballot_answers_once_in_a_round_and_takes_back_its_own_alone() -> None:
    ballots = Ballots()
    for number in (3, 4):
        assert ballots.use(7, number, "a", "well")
        assert not ballots.use(7, number, "a", "lost")
        assert ballots.take_back(7, number, "b") is None
    assert ballots.use(8, 0, "a", "well"), "another lesson"
    assert ballots.take_back(7, 4, "a") == "well"
    assert ballots.take_back(7, 4, "a") is None
    assert ballots.use(7, 4, "a", "lost")


def ballot_paper(client: httpx.Client, code: str | None) -> tuple[dict[str, str], httpx.Cookies]:
    form = {"csrftoken": token_in(client.get(f"/check/{code}").text)}
    return form, httpx.Cookies(client.cookies)


def test_a_cookie_that_is_sent_again_counts_once_and_takes_nobody_elses_answer_back(
    school: School,
) -> None:
    lesson = school.lesson(OWN, minutes=0.5)
    checkins = CheckIns(school.engine)
    with school.client() as pupil, school.client() as other:
        for client, answer in ((pupil, "well"), (other, "well")):
            form, _ = ballot_paper(client, lesson.code)
            client.post(f"/check/{lesson.code}", data={**form, "answer": answer})
        assert checkins.answering(lesson) == 2
    with school.client() as teacher:
        form, cookies = ballot_paper(teacher, lesson.code)
        for answer in itertools.islice(itertools.cycle(ANSWERS), 9):
            teacher.cookies = cookies
            teacher.post(f"/check/{lesson.code}", data={**form, "answer": answer})
        assert checkins.answering(lesson) == 3
        for _ in range(5):
            teacher.cookies = cookies
            teacher.post(f"/check/{lesson.code}/undo", data=form)
        assert checkins.answering(lesson) == 2


def test_without_a_ballot_nothing_is_counted(school: School) -> None:
    lesson = school.lesson(OWN, minutes=0.5)
    with school.client() as teacher:
        form, _ = ballot_paper(teacher, lesson.code)
        teacher.cookies.clear()
        teacher.post(f"/check/{lesson.code}", data={**form, "answer": "well"})
    assert CheckIns(school.engine).answering(lesson) == 0


def test_a_lesson_after_an_erased_one_is_off_in_its_own_way(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a teacher would vote in one, see by how much it is off, and erase it before the real."""
    names: list[str] = []

    def as_it_is(counts: dict[str, int], _key: bytes, about: str) -> dict[str, int]:
        names.append(about)
        return counts

    monkeypatch.setattr("collector.lessons.checkins.inexact", as_it_is)
    for _ in range(2):
        lesson = school.lesson(OWN, minutes=0.5)
        with school.client() as pupil:
            form, _ = ballot_paper(pupil, lesson.code)
            pupil.post(f"/check/{lesson.code}", data={**form, "answer": "well"})
        school.repository.end(lesson)
        CheckIns(school.engine).rounds(school.repository.lesson(lesson.id))
        school.repository.erase(lesson)
    assert len(names) == len(set(names)) == 2
