"""What the collector knows of who answers for reading expressions: signed files that the settings
name, and those in updates. Which of them a device has, the device alone says."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from sqlalchemy import Engine

from collector.config import CollectorSettings
from collector.fleet.update_catalog import Stage, UpdateCatalog
from edge.common.errors import UserError
from edge.common.settings import load
from edge.protocol.attestation import Attestation, SignedAttestation, is_signed, public_key
from edge.protocol.bundle import unpack

log = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""Bytes of a file in an update that may be an attestation."""
SETTINGS_RANK = 2**31
"""A file that the settings name counts as newer than any update."""


class KnownAttestation(NamedTuple):
    """One whose signature is the site's."""

    attestation: Attestation
    source: str
    """A file's name, or an update's number with the file's name in it."""
    rank: int
    """Of two that cover a room, the one with the higher is in force."""
    stage: Stage | None
    """Of its update; none for a file that the settings name."""
    content: bytes


class AttestationCatalog:
    """Updates are read once each: they do not change, and may be large."""

    def __init__(self, settings: CollectorSettings, engine: Engine) -> None:
        self._settings, self._catalog = settings, UpdateCatalog(engine)
        self._in_updates: dict[str, list[tuple[str, SignedAttestation, bytes]]] = {}
        self._problems: frozenset[str] = frozenset()

    def of(self, site: str) -> tuple[list[KnownAttestation], list[str]]:
        """All of a site's, and a sentence for each file that cannot be used."""
        path = self._settings.site_key(site)
        if path is None:
            return [], []
        problems: list[str] = []
        try:
            key = public_key(path)
        except UserError as error:
            return [], [str(error)]
        entries = [*self._of_settings(site, key, problems), *self._of_updates(site, key, problems)]
        self._say(problems)
        return entries, problems

    def _say(self, problems: list[str]) -> None:
        """To the log, once each."""
        for problem in set(problems) - self._problems:
            log.warning("%s", problem)
        self._problems = frozenset(problems)

    def _of_settings(
        self, site: str, key: Ed25519PublicKey, problems: list[str]
    ) -> Iterator[KnownAttestation]:
        page = self._settings.public.get(site)
        for path in page.attestations if page else ():
            try:
                yield read_attestation(path, key, site)
            except UserError as error:
                problems.append(str(error))

    def _of_updates(
        self, site: str, key: Ed25519PublicKey, problems: list[str]
    ) -> Iterator[KnownAttestation]:
        for update in self._catalog.all():
            if update.site != site:
                continue
            where = f"update {update.number}"
            if update.sha256 not in self._in_updates:
                data = self._catalog.content(update.sha256)
                try:
                    files = unpack(data or b"", key, site).files
                except UserError as error:
                    problems.append(f"{where}: {error.what}")
                    continue
                self._in_updates[update.sha256] = list(_attestations_in(files))
            for name, document, content in self._in_updates[update.sha256]:
                source = f"{where}, {name}"
                if is_signed(document, key) and document.attestation.site == site:
                    yield KnownAttestation(
                        document.attestation, source, update.number, update.state, content
                    )
                else:
                    problems.append(f"{source}: not signed with the site's key, or for another")


def read_attestation(path: Path, key: Ed25519PublicKey, site: str) -> KnownAttestation:
    """Raises UserError for one that no device of the site would believe."""
    if not path.exists():
        remedy = f"name one that is there in public.{site}.attestations"
        raise UserError("no such file", path, remedy)
    document = load(SignedAttestation, path)
    if not is_signed(document, key):
        raise UserError(
            "not signed with the site's key", path, "sign it with `roommood site attest`"
        )
    if document.attestation.site != site:
        other = document.attestation.site
        raise UserError(f"is for site '{other}'", path, f"name one for site '{site}'")
    return KnownAttestation(document.attestation, path.name, SETTINGS_RANK, None, path.read_bytes())


def _attestations_in(files: Mapping[str, bytes]) -> Iterator[tuple[str, SignedAttestation, bytes]]:
    """Files of an update that have an attestation's form."""
    for name, content in files.items():
        if name.startswith("pack/") or len(content) > LARGEST:
            continue
        try:
            document = SignedAttestation.model_validate(yaml.safe_load(content))
        except (ValidationError, yaml.YAMLError, UnicodeDecodeError, RecursionError):
            continue  # settings, or whatever else devices need
        yield name, document, content


def in_force(
    entries: list[KnownAttestation], site: str, room: str, day: date
) -> KnownAttestation | None:
    """The one that counts for a room on a day, of those that were not withdrawn."""
    fitting = [
        one
        for one in entries
        if one.stage != "withdrawn"
        and one.attestation.covers(site, room)
        and one.attestation.first_day <= day <= one.attestation.last_day
    ]
    return max(fitting, key=lambda one: (one.rank, one.attestation.last_day), default=None)
