"""An evidence pack: a ZIP with the digest of each file in SHA256SUMS, and a signature of that.

`sha256sum -c` and `openssl pkeyutl` check it as well as we do. Files lie in the ZIP as they are,
one after another, and nothing else: whatever is changed, added or cut shows.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.common.errors import UserError

SUMS, SIGNATURE, PUBLIC_KEY = "SHA256SUMS", "SHA256SUMS.sig", "site.pub"
LARGEST = 256 * 2**20
"""Bytes of a pack that is read."""
DATE = (1980, 1, 1, 0, 0, 0)
"""ZIP's first; when a pack was made is in it, signed."""
LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._/-]{0,120})")
ANEW = "get it again from whoever made it"


class EvidencePack(NamedTuple):
    """What is in one, before anything is believed."""

    files: dict[str, bytes]
    """Without the digests and their signature."""
    sums: bytes
    signature: bytes | None


def write_pack(files: Mapping[str, bytes], key: Ed25519PrivateKey | None) -> bytes:
    """The ZIP; without a key it has digests and no signature."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    sums = "".join(lines).encode()
    signature = {} if key is None else {SIGNATURE: key.sign(sums)}
    return _zip({**{name: files[name] for name in sorted(files)}, SUMS: sums, **signature})


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, DATE)
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, content)
    return out.getvalue()


def read_pack(data: bytes, where: str) -> EvidencePack:
    """Raises UserError for what is no pack, or was cut or changed so that it cannot be read."""
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data):
                    raise UserError("was packed anew by another program", where, ANEW)
                if info.filename in files:
                    raise UserError(f"contains {_name(info)} twice", where, ANEW)
                files[info.filename] = archive.read(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        name = re.search(r"Bad CRC-32 for file '([^']*)'", str(error))
        what = f"{name[1][:80]} was changed" if name else "is damaged, cut short, or no ZIP"
        raise UserError(what, where, ANEW) from None
    sums, signature = files.pop(SUMS, None), files.pop(SIGNATURE, None)
    if sums is None:
        raise UserError(f"has no {SUMS}: no evidence pack, or a part of one", where, ANEW)
    return EvidencePack(files, sums, signature)


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename[:80]


def faults(data: bytes, pack: EvidencePack) -> Iterator[str]:
    """A sentence for each thing in which a pack is not as it was made."""
    lines = [LINE.fullmatch(line) for line in pack.sums.decode("utf-8", "replace").splitlines()]
    digests = {match[2]: match[1] for match in lines if match}
    if None in lines or len(digests) != len(lines):
        yield f"{SUMS} was changed: it has lines that are no digests"
    for name in sorted(digests.keys() | pack.files.keys()):
        content = pack.files.get(name)
        if content is None:
            yield f"{name} is missing"
        elif name not in digests:
            yield f"{name[:80]!r} was added"
        elif hashlib.sha256(content).hexdigest() != digests[name]:
            yield f"{name} was changed"
    signature = {} if pack.signature is None else {SIGNATURE: pack.signature}
    if _zip({**pack.files, SUMS: pack.sums, **signature}) != data:
        yield "something stands in the ZIP beside its files, or their order or dates were changed"


def is_signed_by(pack: EvidencePack, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(pack.signature or b"", pack.sums)
    except InvalidSignature:
        return False
    return True
