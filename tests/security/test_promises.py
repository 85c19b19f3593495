from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.security.promises import (
    PARENTS,
    exists,
    loose_sentences,
    promises,
    proofs_for_parents,
)


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
    bare, wrong = promises()[:2]
    assert bare.tests == ()
    assert not exists(*wrong.tests[0])


def test_parents_read_nothing_without_a_test() -> None:
    assert loose_sentences() == []
    page = " ".join(PARENTS.read_text().split())
    assert [begin for begin in proofs_for_parents() if f"- {begin}" not in page] == []


def test_a_sentence_for_parents_without_a_test_would_show(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "privacy.md"
    page.write_text(
        "# What leaves\n\n- No picture is stored or sent.\n- All is well.\n\nTrust us.\n"
    )
    monkeypatch.setattr("tests.security.promises.PARENTS", page)
    with_proof, bare = promises()[-2:]
    assert with_proof.tests
    assert not bare.tests
    assert loose_sentences() == ["Trust us.\n"]


def test_the_page_of_the_models_says_how_often_they_are_wrong() -> None:
    page = (ROOT / "models" / "README.md").read_text()
    assert "accuracy" in page
    assert "women" in page, "and for whom more often"
