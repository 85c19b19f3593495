"""`roommood site`: the site's key, and the attestations signed with it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import get_args

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.errors import Refusal
from edge.permission.attestation import Attestation, Purpose, countries, sign
from edge.permission.mode import is_prohibited
from edge.settings import load

path_option = click.Path(path_type=Path)
PRIVATE, PUBLIC = "site.key", "site.pub"


@click.group()
def site() -> None:
    """The site's key, and what is signed with it."""


@site.command()
@click.option("--out", required=True, type=path_option, help="A folder that IT alone can read.")
def key(out: Path) -> None:
    """Make the site's Ed25519 key: site.key stays here, site.pub goes to the devices."""
    if (out / PRIVATE).exists():
        raise Refusal(f"{out / PRIVATE}: is there already: keep it, or give another --out")
    made = Ed25519PrivateKey.generate()
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(private)
        (out / PUBLIC).write_bytes(public)
    except OSError as error:
        raise Refusal(f"{out}: cannot be written ({error.strerror}): give another --out") from None
    click.echo(f"{out / PRIVATE}: keep it secret; {out / PUBLIC}: copy it to the devices")


@site.command()
@click.option("--key", "key_file", required=True, type=path_option, help="The site's site.key.")
@click.option("--answers", required=True, type=path_option, help="Who, where, why: a YAML file.")
@click.option("--out", required=True, type=path_option, help="The signed file for the devices.")
def attest(key_file: Path, answers: Path, out: Path) -> None:
    """Sign an attestation; start from deploy/examples/attestation.yaml."""
    attestation = load(Attestation, answers)
    secret = _private(key_file)
    try:
        out.write_text(sign(attestation, secret), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{out}: cannot be written ({error.strerror}): give another --out") from None
    rooms = ", ".join(attestation.rooms)
    click.echo(f"{out}: {attestation.site}/{rooms}, until {attestation.last_day}")
    if is_prohibited(attestation, max(date.today(), attestation.first_day)):
        rule = countries().rule(attestation.country)
        assert rule is not None  # it is what prohibits
        allowed = " or ".join(p for p in get_args(Purpose) if p in rule.except_)
        click.echo(
            f"roommood: devices will only count faces: in {attestation.country} a law prohibits "
            f"{rule.prohibits} ({rule.source}). It excepts {allowed} reasons, which need "
            "'purpose' and an 'exception' of their own. Ask a lawyer.",
            err=True,
        )


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        secret = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise Refusal(f"{path}: cannot be read ({error.strerror}): give the site's key") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refusal(f"{path}: no private key in PEM: make one with `roommood site key`") from None
    if not isinstance(secret, Ed25519PrivateKey):
        raise Refusal(f"{path}: not an Ed25519 key: make one with `roommood site key`")
    return secret
