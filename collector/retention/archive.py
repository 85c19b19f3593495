"""What a backup's file holds: rows, the collector's key, the site's files, and a manifest.

A file that is damaged or not whole does not fit its manifest and is refused before it is used:

    mood-0001.jsonl, ...   rows of a table as lines, some thousand in each
    secret.key, site/...   files
    manifest.json          of all these: size, SHA-256, how many rows
    revision               of the tables, and the manifest's SHA-256

Earlier versions wrote one `mood.jsonl`, and no manifest.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import time
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from collector.access.secret import BYTES, FILE
from collector.storage.database import NEWEST
from collector.storage.tables import metadata, sessions

MANIFEST, REVISION = "manifest.json", "revision"
SITE = "site/"
"""In a backup: the site's folder."""
SITE_FILE = re.compile(r"site/(broker/)?[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""What a backup holds of it; nothing of the sort leads out of the folder."""

PART = re.compile(r"([a-z_]+)(-\d+)?\.jsonl")
TABLES = [table for table in metadata.sorted_tables if table is not sessions]
CHUNK = 1 << 20
SMALL = 16 * CHUNK
"""A key, a certificate, a list of what is revoked or of members, and all of a site's files."""

UNREADABLE = (OSError, EOFError, zlib.error, tarfile.TarError, KeyError, ValueError, TypeError)
"""What reading a file that is no backup, or a damaged one, may raise."""


class OtherVersion(Exception):
    """A backup of tables that this version does not have."""


class Content(NamedTuple):
    """Of a backup that can be used. `parts` are the members of each table, in order, which whoever
    opens it again finds without looking through it; `files` the key and the site's files by name;
    `has_manifest` is false for one of an earlier version, which nobody can check."""

    digest: str
    parts: dict[str, list[tarfile.TarInfo]]
    files: dict[str, bytes]
    has_manifest: bool


class ArchiveWriter:
    """Adds members, and at the end the manifest of them."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members: dict[str, dict[str, Any]] = {}

    def put(self, name: str, content: bytes, rows: int | None = None) -> None:
        about = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self._members[name] = about if rows is None else about | {"rows": rows}
        self._add(name, content)

    def end(self) -> None:
        manifest = json.dumps({"format": 1, "members": self._members}, indent=1).encode()
        self._add(MANIFEST, manifest)
        digest = hashlib.sha256(manifest).hexdigest()
        self._add(REVISION, f"{NEWEST}\n{MANIFEST} {digest}\n".encode())

    def _add(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = len(content), int(time.time()), 0o600
        self._archive.addfile(info, io.BytesIO(content))


def check(file: IO[bytes]) -> Content:
    """Reads all of it; raises one of UNREADABLE for what is damaged or not whole, and OtherVersion.

    The file is at its beginning afterwards.
    """
    file.seek(0)
    members: dict[str, tuple[int, str]] = {}
    tables: dict[str, tarfile.TarInfo] = {}
    small: dict[str, bytes] = {}
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for member in archive:
            if member.name in members:
                raise ValueError(f"{member.name[:80]!r} is in it twice")
            if member.name.startswith(SITE) and SITE_FILE.fullmatch(member.name) is None:
                raise ValueError(f"{member.name[:80]!r} does not belong in a backup")
            content = plain(archive, member)
            if PART.fullmatch(member.name):
                tables[member.name] = member
            elif member.name in (REVISION, MANIFEST, FILE) or member.name.startswith(SITE):
                if member.size + sum(map(len, small.values())) > 4 * SMALL:
                    raise ValueError(f"{member.name[:80]!r} is larger than such a file can be")
                small[member.name] = content.read()
                content.seek(0)
            members[member.name] = (member.size, _digest(content))
        stream: Any = archive.fileobj
        while stream.read(CHUNK):  # to its end, where its own sum stands
            pass
    file.seek(0)
    digest = _digest(file)
    file.seek(0)
    revision, *manifest = small[REVISION].decode("ascii").splitlines()
    if revision != NEWEST:
        raise OtherVersion
    if len(small[FILE]) != BYTES:
        raise ValueError(f"{FILE} is no key of {BYTES} bytes")
    if manifest:
        _compare(members, small, manifest[0].removeprefix(f"{MANIFEST} "))
    elif MANIFEST in members:
        raise ValueError(f"{REVISION} is not what was written")
    files = {name: small[name] for name in small.keys() - {REVISION, MANIFEST}}
    return Content(digest, _parts(tables), files, bool(manifest))


def plain(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    """A plain file: a link would lead elsewhere, a device to anything."""
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        raise ValueError(f"{member.name[:80]!r} is no plain file")
    return file


def lines(archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> Iterator[bytes]:
    for member in members:
        yield from plain(archive, member)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while some := file.read(CHUNK):
        digest.update(some)
    return digest.hexdigest()


def _compare(members: dict[str, tuple[int, str]], small: dict[str, bytes], digest: str) -> None:
    if hashlib.sha256(small[MANIFEST]).hexdigest() != digest:
        raise ValueError(f"{MANIFEST} is not what was written")
    manifest = json.loads(small[MANIFEST])["members"]
    there = members.keys() - {MANIFEST, REVISION}
    for name in sorted(manifest.keys() - there):
        raise ValueError(f"{name} is missing")
    for name in sorted(there - manifest.keys()):
        raise ValueError(f"{name[:80]!r} does not belong in a backup")
    for name, about in manifest.items():
        if members[name] != (about["size"], about["sha256"]):
            raise ValueError(f"{name} is not what was written")


def _parts(members: dict[str, tarfile.TarInfo]) -> dict[str, list[tarfile.TarInfo]]:
    """Of every table that there is: one that is missing would be as if nothing had been in it."""
    parts: dict[str, list[tarfile.TarInfo]] = {table.name: [] for table in TABLES}
    for name in sorted(members):
        if (match := PART.fullmatch(name)) and match[1] in parts:
            parts[match[1]].append(members[name])
    for table, own in parts.items():
        if not own:
            raise ValueError(f"{table}.jsonl is missing")
    return parts
