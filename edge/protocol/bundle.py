"""An update for devices: a tar of a manifest, its signature, and the files that it names.

The manifest has a number that only grows, a digest of each file, and is signed with the site's
Ed25519 key; a device that holds number 7 takes neither 6 nor another 7.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, StringConstraints, ValidationError

from edge.common.errors import UserError
from edge.common.settings import Section
from edge.protocol.device_api import Hex64
from edge.protocol.messages import Name

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
SETTINGS = "settings.yaml"
PACK = "pack/"
LARGEST = 24 * 2**20
"""Bytes of all files together."""

FileName = Annotated[str, StringConstraints(pattern=r"^(pack/)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Manifest(Section):
    """What the signature is over."""

    site: Name
    number: int = Field(ge=1, lt=2**31)
    files: dict[FileName, Hex64] = Field(min_length=1, max_length=20)
    """Each file's SHA-256."""
    note: str = Field("", max_length=200)


class Bundle(NamedTuple):
    """A bundle whose signature and files are in order."""

    manifest: Manifest
    files: dict[str, bytes]


def pack_up(
    site: str, number: int, files: Mapping[str, bytes], note: str, key: Ed25519PrivateKey
) -> bytes:
    """The signed tar."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = Manifest(site=site, number=number, files=digests, note=note)
    manifest_json = manifest.model_dump_json().encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in {
            MANIFEST: manifest_json,
            SIGNATURE: key.sign(manifest_json),
            **files,
        }.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def unpack(data: bytes, key: Ed25519PublicKey, site: str) -> Bundle:
    """Checks all of it before any of it is used; raises UserError."""
    files = _read(data)
    manifest_json, signature = files.pop(MANIFEST, b""), files.pop(SIGNATURE, b"")
    try:
        key.verify(signature, manifest_json)
    except InvalidSignature:
        raise UserError("not signed with the site's key", "update", "sign it again") from None
    try:
        manifest = Manifest.model_validate_json(manifest_json)
    except ValidationError:
        raise UserError(
            "unknown manifest format", "update", "sign it with this version of roommood"
        ) from None
    if manifest.site != site:
        raise UserError(
            f"made for site '{manifest.site}', not for '{site}'", "update", "sign it for this site"
        )
    if files.keys() != manifest.files.keys():
        raise UserError("its files do not match its manifest", "update", "sign it again")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[name]:
            raise UserError(f"{name} is damaged", "update", "download or sign it again")
    return Bundle(manifest, files)


def _read(data: bytes) -> dict[str, bytes]:
    """Plain files alone, by name; nothing is written anywhere."""
    files: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                # Not a sparse one, whose content is as large as it likes to say.
                is_plain = member.isreg() and not member.issparse() and member.size >= 0
                file = archive.extractfile(member) if is_plain else None
                total += member.size
                if file is None or total > LARGEST or member.name in files:
                    raise UserError(
                        f"contains {member.name[:64]}, which does not belong there",
                        "update",
                        "sign it again with `roommood site bundle`",
                    )
                files[member.name] = file.read()
    except (tarfile.TarError, ValueError, OverflowError):  # numbers that are none, in its headers
        raise UserError(
            "damaged, or not an update", "update", "download or sign it again"
        ) from None
    return files


def write_out(bundle: Bundle, folder: Path) -> None:
    """Into an empty folder; names were checked by the manifest."""
    for name, content in bundle.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
