"""The attestation: who answers for reading expressions, where, on what basis and until when.

A YAML file, signed with the site's Ed25519 key. The signature is over the attestation as JSON with
sorted keys and no spaces, UTF-8, so that its layout may change and its content may not.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from edge.common.errors import SettingError, UserError, unusable
from edge.common.settings import Section, load
from edge.protocol.messages import Name

COUNTRIES = Path(__file__).parent / "countries.yaml"
LONGEST = timedelta(days=366)
ALL_ROOMS = "*"

Purpose = Literal["education", "medical", "safety"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


INSTEAD = {
    "UK": "GB for the United Kingdom",
    "EL": "GR for Greece",
    "EU": "the member state, as in DE or FR",
    "EN": "the country, as in GB or US",
    "XK": "the country whose law applies",
}
"""What people write, and what ISO 3166-1 has for it."""


@cache
def country_codes() -> frozenset[str]:
    """The two-letter codes of ISO 3166-1, as the time zone database lists them."""
    table = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    return frozenset(
        line.split("\t")[0] for line in table.splitlines() if line and not line.startswith("#")
    )


def _country(code: str) -> str:
    if code not in country_codes():
        remedy = INSTEAD.get(code, "two capital letters of ISO 3166-1, as in NZ")
        raise SettingError(f"{code} is no country's code", f"write {remedy}")
    return code


class Responsible(Section):
    """The person who answers for it, by name."""

    name: Words
    role: Words
    contact: Words


class Attestation(Section):
    """What somebody answers for."""

    site: Name
    rooms: tuple[Name | Literal["*"], ...] = Field(min_length=1, max_length=500)
    """Rooms of the site, or `*` for all."""
    responsible: Responsible
    purpose: Purpose
    legal_basis: Words
    exception: Words | None = None
    """On what an exception from a prohibition rests, where the purpose is medical or safety."""
    country: Annotated[str, AfterValidator(_country)]
    """ISO 3166-1, two capital letters."""
    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _at_most_a_year(self) -> Attestation:
        if not timedelta(0) <= self.last_day - self.first_day <= LONGEST:
            raise SettingError(
                "last_day is before first_day, or more than a year later",
                "choose one within a year",
            )
        return self

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        content = self.model_dump(mode="json")
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    def covers(self, site: str, room: str) -> bool:
        return self.site == site and (ALL_ROOMS in self.rooms or room in self.rooms)


class SignedAttestation(Section):
    """The file: an attestation and its signature, base64."""

    attestation: Attestation
    signature: str


class Rule(Section):
    """What a law prohibits, and what it lets pass."""

    prohibits: str
    since: date
    except_: tuple[Purpose, ...] = Field(alias="except")
    source: str


class Countries(Section):
    """The dated, sourced table of prohibitions."""

    as_of: date
    rules: dict[str, Rule]
    countries: dict[str, str]

    def rule(self, country: str) -> Rule | None:
        name = self.countries.get(country)
        return self.rules[name] if name else None


@cache
def countries() -> Countries:
    return load(Countries, COUNTRIES)


def sign(attestation: Attestation, key: Ed25519PrivateKey) -> str:
    """The file's text."""
    signature = base64.b64encode(key.sign(attestation.signed_bytes())).decode()
    content = {"attestation": attestation.model_dump(mode="json"), "signature": signature}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def public_key(path: Path) -> Ed25519PublicKey:
    """The site's key from a PEM file; raises UserError naming it."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise unusable(error, path, "copy the site's key there") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UserError("not a public key in PEM", path, "copy the site's key there") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UserError("not an Ed25519 key", path, "make one with `roommood site key`")
    return key


def read_private(path: Path) -> Ed25519PrivateKey:
    """The site's signing key from a PEM file; raises UserError naming it."""
    try:
        secret = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", path, "name the site's key") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(
            "not a private key in PEM", path, "make one with `roommood site key`"
        ) from None
    if not isinstance(secret, Ed25519PrivateKey):
        raise UserError("not an Ed25519 key", path, "make one with `roommood site key`")
    return secret


def is_signed(document: SignedAttestation, key: Ed25519PublicKey) -> bool:
    """Whether the signature is the site's, of just this content."""
    try:
        key.verify(
            base64.b64decode(document.signature, validate=True), document.attestation.signed_bytes()
        )
    except (InvalidSignature, binascii.Error):
        return False
    return True
