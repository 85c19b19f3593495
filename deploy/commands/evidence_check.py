"""Whether an evidence pack is as it was made, and by whom: `roommood site verify`."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from collector.evidence.files import fingerprint
from collector.evidence.pack import LARGEST, PUBLIC_KEY, faults, is_signed_by, read_pack
from edge.common.errors import UserError, unusable
from edge.protocol.attestation import public_key


def check_pack(file: Path, key_file: Path | None, own_key: Path) -> tuple[bool, list[str]]:
    """Whether it is whole and signed with the key, and sentences that say so.

    The key is the one that is named, else this site's own, else the pack's: that proves nothing
    until somebody has compared it. Raises UserError for what is no pack.
    """
    named_key = None if key_file is None else public_key(key_file)
    data = _content(file)
    pack = read_pack(data, str(file))
    wrong = list(faults(data, pack))
    if pack.signature is None:
        wrong.append("not signed: whoever could write the file could change it")
        return False, wrong
    if named_key is not None:
        key, whose = named_key, f"the key in {key_file}"
    elif own_key.exists():
        key, whose = public_key(own_key), f"the key in {own_key}"
    else:
        key = _key_in(pack.files.get(PUBLIC_KEY, b""), file)
        whose = "the key that is in the pack itself"
    if not is_signed_by(pack, key):
        wrong.append(f"not signed with {whose}: made or changed by somebody else")
    if wrong:
        return False, wrong
    lines = [f"{len(pack.files)} files, none changed, added or missing"]
    lines.append(f"signed with {whose}, fingerprint {fingerprint(key)}")
    if whose == "the key that is in the pack itself":
        lines.append("compare that fingerprint with the school's own, or add --key site.pub")
    return True, lines


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise UserError("too large for an evidence pack", file, "name the right file")
        return file.read_bytes()
    except OSError as error:
        raise unusable(error, file, "name an evidence pack that is there") from None


def _key_in(pem: bytes, file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UserError("has no key in it", file, "add --key site.pub")
    return key
