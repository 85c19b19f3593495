"""Whatever happens in a worker's turn, its thread goes on, says so, and health can see it."""

from __future__ import annotations

import threading
import time

import pytest

from edge.common.worker import QueueWorker, Worker, Workers
from tests.free import wait


class FailingWorker(Worker):
    """Fails in its first turns, each time in another way."""

    failures: tuple[BaseException, ...] = (
        OSError("no space left\nand more that nobody reads"),
        OSError("no space left"),
        ValueError(),
        SystemExit(3),
        MemoryError("none left"),
    )

    def __init__(self) -> None:
        super().__init__("troubled", 0.01, longest_wait_s=0.02)
        self.turns = 0
        self.has_ended = False

    def run_once(self) -> None:
        self.turns += 1
        if self.turns <= len(self.failures):
            raise self.failures[self.turns - 1]

    def finish(self) -> None:
        self.has_ended = True


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "edge.common.worker"]


def test_it_goes_on_and_says_what_begins_and_what_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    FailingWorker().stop()  # before it was started
    work = FailingWorker()
    work.start()
    wait(lambda: work.turns > len(work.failures) + 2)
    assert work.problem() == ""
    assert work.stop()
    turns = work.turns
    assert messages(caplog) == [
        *("troubled: no space left; trying again", "troubled: ValueError; trying again"),
        *("troubled: 3; trying again", "troubled: none left; trying again"),
        "troubled: works again",
    ]
    assert (work.turns, work.has_ended) == (turns, True)


def test_the_wait_after_a_failure_grows_and_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Worker):
        def __init__(self) -> None:
            super().__init__("failing", longest_wait_s=3600)
            self.turns: list[float] = []

        def run_once(self) -> None:
            self.turns.append(time.monotonic())
            raise OSError("never")

    monkeypatch.setattr("edge.common.worker.FIRST_WAIT_S", 0.05)
    work = Failing()
    work.start()
    wait(lambda: len(work.turns) == 5)
    gaps = [later - earlier for earlier, later in zip(work.turns, work.turns[1:], strict=False)]
    # A busy machine makes them longer, never shorter.
    assert all(gap >= 0.05 * 2**n for n, gap in enumerate(gaps)), gaps
    assert work.stop()
    monkeypatch.setattr("edge.common.worker.FIRST_WAIT_S", 600)
    patient = Failing()
    patient.start()
    wait(lambda: len(patient.turns) == 1)
    patient.wake()
    wait(lambda: len(patient.turns) == 2)
    assert patient.stop()


def test_health_sees_who_fails_stands_still_or_has_ended() -> None:
    hanging = threading.Event()

    class Hanging(Worker):
        def run_once(self) -> None:
            hanging.wait()

    sleeper, failing = Hanging("hung", patience_s=0.1, ends_in_s=0.1), FailingWorker()
    failing.failures = (OSError("the disk"),) * 10_000
    workers = Workers((sleeper, failing, FailingWorker()))
    assert set(workers.fatal_problem()) == {"hung", "troubled"}  # nobody runs yet
    sleeper.start()
    failing.start()
    wait(lambda: sleeper.still() > 0.1 and bool(failing.trouble))
    assert sleeper.fatal_problem() == "has not moved for 0.1 s"
    assert failing.fatal_problem() == ""
    assert failing.problem() == "the disk"
    hanging.set()
    assert sleeper.stop()
    assert sleeper.problem() == "its thread has ended"
    failing.stop()


def test_one_bad_item_of_a_turn_does_not_take_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Items(Worker):
        def __init__(self) -> None:
            super().__init__("items", 0.01)
            self.items: list[int] = []
            self.bad = True

        def run_once(self) -> None:
            for number in range(4):
                with self.attempt(f"item {number}"):
                    if number == 1 and self.bad:
                        raise ValueError("broken")
                    self.items.append(number)

    caplog.set_level("INFO")
    work = Items()
    work.start()
    wait(lambda: work.items[:6] == [0, 2, 3, 0, 2, 3])
    assert work.problem() == "item 1: broken"
    work.bad = False
    wait(lambda: work.problem() == "")
    work.stop()
    assert messages(caplog) == ["items: item 1: broken; trying again", "items: works again"]


class Letters(QueueWorker[str]):
    def __init__(self, most: int = 100) -> None:
        super().__init__("letters", most, longest_wait_s=0.05)
        self.messages: list[str] = []
        self.way_is_open = True

    def handle(self, item: str) -> None:
        if not self.way_is_open:
            raise OSError("the way is closed")
        self.messages.append(item)


def test_what_is_put_waits_until_it_could_be_done_in_order() -> None:
    letters = Letters()
    letters.way_is_open = False
    letters.start()
    for name in "abc":
        letters.put(name)
    wait(lambda: letters.problem() == "the way is closed")
    letters.put("d")
    letters.way_is_open = True
    wait(lambda: letters.messages == ["a", "b", "c", "d"])
    wait(lambda: letters.problem() == "")
    letters.stop()


def test_a_queue_that_overflows_drops_the_oldest_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    letters = Letters(most=3)
    for name in "abcdef":
        letters.put(name)
    assert (len(letters), letters.drop_count) == (3, 3)
    letters.start()
    wait(lambda: letters.messages == ["d", "e", "f"])
    letters.stop()
    assert messages(caplog) == ["letters: 3 wait: the oldest are dropped"]


def test_what_waits_at_the_end_is_done_first_or_said(caplog: pytest.LogCaptureFixture) -> None:
    letters = Letters()
    letters.start()
    time.sleep(0.05)
    letters.put("last")
    letters.stop()
    assert letters.messages == ["last"]
    letter_box = Letters()
    letter_box.way_is_open = False
    letter_box.put("never")
    letter_box.start()
    letter_box.stop()
    assert "letters: 1 were not done before the end" in messages(caplog)


def test_workers_end_in_the_reverse_order_so_that_none_uses_what_is_closed() -> None:
    order: list[str] = []

    class NoteWorker(Worker):
        def start(self) -> None:
            order.append(f"+{self.name}")
            super().start()

        def run_once(self) -> None:
            time.sleep(0.01)

        def finish(self) -> None:
            order.append(f"-{self.name}")

    workers = Workers(NoteWorker(name) for name in "abc")
    workers.start()
    workers.stop()
    assert order == ["+a", "+b", "+c", "-c", "-b", "-a"]
    assert not {"a", "b", "c"} & {thread.name for thread in threading.enumerate()}
