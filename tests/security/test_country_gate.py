"""The gate opens for a country that there is, and where the rule of that country lets it."""

from __future__ import annotations

import json
import string
from datetime import date
from pathlib import Path
from random import Random

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from edge.common.settings import load
from edge.protocol.attestation import Attestation, countries, country_codes
from tests.edge.permission.attestations import ANSWERS, MEDICAL, because, new_key, write_attestation

pytestmark = pytest.mark.once


@pytest.fixture
def key(tmp_path: Path) -> Ed25519PrivateKey:
    return new_key(tmp_path)


@pytest.mark.parametrize("country", ["DE", "FR", "NO"])
def test_where_it_is_prohibited_only_an_exception_helps(
    tmp_path: Path, key: Ed25519PrivateKey, country: str
) -> None:
    write_attestation(tmp_path, key, country=country)
    assert because(tmp_path) == "prohibited"
    write_attestation(tmp_path, key, country=country, purpose="medical")
    assert because(tmp_path) == "prohibited"  # the exception needs a basis of its own
    write_attestation(tmp_path, key, country=country, **MEDICAL)
    assert because(tmp_path) == "attested"


CODES = sorted(country_codes())
PURPOSES: tuple[dict[str, str], ...] = (
    {"purpose": "education"},
    {"purpose": "medical"},
    MEDICAL,
    MEDICAL | {"purpose": "safety"},
)


@pytest.mark.parametrize("purpose", PURPOSES, ids=str)
def test_every_country_and_purpose_is_as_the_table_says(
    tmp_path: Path, key: Ed25519PrivateKey, purpose: dict[str, str]
) -> None:
    assert len(CODES) == 249
    for country in CODES:
        write_attestation(tmp_path, key, country=country, **purpose)
        is_listed = country in countries().countries
        is_exception = purpose["purpose"] != "education" and "exception" in purpose
        expectation = "prohibited" if is_listed and not is_exception else "attested"
        assert because(tmp_path) == expectation, country


CYRILLIC = "D\N{CYRILLIC CAPITAL LETTER IE}"
WRONG = ["EU", "EL", "UK", "ZZ", "XX", "XK", "EN", "AA", "QM", "de", "DEU", "", "D", CYRILLIC]


def wrong_codes() -> list[str]:
    """A thousand strings that are no country's code."""
    random = Random(1)
    letters = string.ascii_letters + string.digits + " -\u0415"
    codes = {"".join(random.choices(letters, k=random.randint(0, 4))) for _ in range(2000)}
    return [*WRONG, *sorted(codes - {*CODES, *WRONG})][:1000]


def test_what_is_no_country_reads_no_expression(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    codes = wrong_codes()
    assert len(codes) == 1000
    path = write_attestation(tmp_path, key)
    text = path.read_text()
    for code in codes:
        with pytest.raises(ValidationError, match="country"):
            Attestation.model_validate(ANSWERS | {"country": code})
    for code in WRONG:
        path.write_text(text.replace("country: NZ", f"country: {json.dumps(code)}"))
        assert because(tmp_path) == "unreadable"


def test_an_unquoted_no_is_norway(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(yaml.safe_dump(ANSWERS).replace("country: NZ", "country: NO"))
    assert load(Attestation, path).country == "NO"


def test_the_table_has_the_union_and_the_area_with_date_and_source() -> None:
    table = countries()
    assert len(table.countries) == 27 + 3 + 7  # the Union, the Area, regions outside Europe
    assert table.as_of >= date(2026, 11, 20)
    rule = table.rule("DE")
    assert rule is not None
    assert rule.since == date(2025, 2, 2)
    assert "2024/1689" in rule.source
    assert table.rule("NZ") is None
