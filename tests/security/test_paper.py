"""Reports for print take a processor for a second each: few at a time, and nobody else waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from collector.pages import pdf
from collector.pages.words import LANGUAGES
from tests.collector.school import OWN, School, report_reader
from tests.free import wait

pytestmark = pytest.mark.once

AT_ONCE = 45
"""More than the threads that answer requests."""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    pytest.importorskip("weasyprint")
    with School(tmp_path_factory.mktemp("paper")) as server:
        server.staff()
        server.windows(OWN)
        yield server


class Press:
    """The real one, held until it is let go, and counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.under_way = self.most = self.count = 0
        self.go, self._lock, self._real = threading.Event(), threading.Lock(), pdf.as_pdf
        monkeypatch.setattr(pdf, "as_pdf", self._set)

    def _set(self, html: str, *more: Any) -> bytes:
        with self._lock:
            self.count += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        assert self.go.wait(60)
        try:
            return self._real(html, *more)
        finally:
            with self._lock:
                self.under_way -= 1


def test_many_reports_at_once_keep_nobody_waiting(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one link and by many, while somebody else reads pages and asks how it goes."""
    press, address = Press(monkeypatch), f"/lessons/{school.old_lesson().id}/report.pdf"
    lesson = school.repository.lesson(int(address.split("/")[2]))
    readers = [report_reader(school, lesson) for _ in range(AT_ONCE // len(LANGUAGES) + 1)]
    requests = [(reader, language) for reader in readers for language in LANGUAGES]

    def ask(request: tuple[httpx.Client, str]) -> httpx.Response:
        reader, language = request
        return reader.get(address, headers={"accept-language": language}, timeout=120)

    with ThreadPoolExecutor(len(requests)) as pool, school.as_person("ann") as ann:
        answers = [pool.submit(ask, request) for request in requests]
        wait(lambda: press.under_way == 1)
        too_many = len(requests) - pdf.MOST_IN_QUEUE
        wait(lambda: sum(answer.done() for answer in answers) == too_many)
        for page in ("/retention", "/accounts", f"/lessons/{lesson.id}"):
            assert ann.get(page).status_code == 200
        assert ann.get("/healthz").json()["database"] is True
        assert not press.go.is_set()
        press.go.set()
        results = [answer.result() for answer in answers]
    assert press.most == 1
    assert [one.status_code for one in results].count(200) == pdf.MOST_IN_QUEUE
    for one in results:
        if one.status_code != 200:
            assert one.status_code == 503
            assert int(one.headers["retry-after"]) > 0
            assert "database" not in one.text
    for reader in readers:
        reader.close()


def test_a_class_with_one_link_gets_one_setting(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    press, lesson = Press(monkeypatch), school.old_lesson()
    with report_reader(school, lesson) as reader, ThreadPoolExecutor(AT_ONCE) as pool:
        address = f"/lessons/{lesson.id}/report.pdf"
        answers = [pool.submit(reader.get, address, timeout=120) for _ in range(AT_ONCE)]
        wait(lambda: press.under_way == 1)
        time.sleep(0.5)  # the others come; whoever comes later has it set once more
        press.go.set()
        statuses = {answer.result().status_code for answer in answers}
    assert statuses == {200}
    assert press.count <= pdf.OF_ONE_READER
