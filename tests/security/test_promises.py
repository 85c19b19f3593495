from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.promises import exists, promises


@pytest.mark.parametrize("number", range(len(promises())))
def test_every_sentence_of_the_page_names_a_test_that_is_there(number: int) -> None:
    promise = promises()[number]
    assert promise.tests, promise.sentence
    assert [test for test in promise.tests if not exists(*test)] == []


def test_a_sentence_without_a_test_would_show(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "security.md"
    page.write_text("# Security\n\n- All is well.\n- So is this. `tests/no.py::test_no`\n")
    monkeypatch.setattr("tests.security.promises.PAGE", page)
    bare, wrong = promises()
    assert bare.tests == ()
    assert not exists(*wrong.tests[0])
