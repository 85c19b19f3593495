"""An evidence pack that was edited, cut, or signed by somebody else shows it."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.evidence.pack import SIGNATURE, SUMS, write_pack
from deploy.commands.site import site
from deploy.commands.site_key import public_pem
from edge.common.errors import UserError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
FILES = {
    "README.txt": b"read me\n",
    "changes.json": b'[{"who": "ann", "what": "room erased"}]\n' * 20,
    "summary.pdf": b"%PDF-1.7 \0\1\2",
    "site.pub": public_pem(KEY),
}
WHOLE = write_pack(FILES, KEY)


def verify(folder: Path, data: bytes, *options: str, key: bool = True) -> tuple[int, str]:
    """The command's status, and what it says."""
    (folder / "pack.zip").write_bytes(data)
    (folder / "site.pub").write_bytes(public_pem(KEY))
    more = ["--key", str(folder / "site.pub")] if key else []
    words = ["verify", str(folder / "pack.zip"), *more, *options]
    result = CliRunner().invoke(site, words, standalone_mode=False)
    if isinstance(result.exception, UserError):
        return 2, str(result.exception)
    assert result.exception is None, result.exception
    return int(result.return_value), result.output


def repack(
    files: dict[str, bytes],
    sums: bytes | None = None,
    kind: int = zipfile.ZIP_STORED,
    comment: bytes = b"",
) -> bytes:
    """As somebody with another program packs them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if sums is not None:
            archive.writestr(SUMS, sums)
        archive.comment = comment
    return out.getvalue()


def parts() -> tuple[dict[str, bytes], bytes, bytes]:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, files[SUMS], files[SIGNATURE]


def sums_of(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files)).encode()


def test_one_that_nobody_touched_is_in_order(tmp_path: Path) -> None:
    status, words = verify(tmp_path, WHOLE)
    assert status == 0
    assert "4 files, none changed, added or missing" in words
    assert "signed with the key in" in words


def test_the_same_files_make_the_same_pack_everywhere() -> None:
    """Verification packs again and compares: no Python may pack in another way."""
    digest = hashlib.sha256(write_pack({"a.json": b"{}\n"}, KEY)).hexdigest()
    assert digest == "c664801ecd882fa8879479845071c7184c599fe9d8651f02dec2b1c6d4f27811"


def test_any_changed_byte_shows(tmp_path: Path) -> None:
    chance = random.Random(1)
    places = {*range(60), *range(len(WHOLE) - 400, len(WHOLE))}
    for place in {*places, *chance.sample(range(len(WHOLE)), 300)}:
        data = bytearray(WHOLE)
        data[place] ^= 1 << chance.randrange(8)
        assert verify(tmp_path, bytes(data))[0] != 0, place


def test_a_cut_shows_wherever_it_is(tmp_path: Path) -> None:
    for length in (0, 1, 30, len(WHOLE) // 2, len(WHOLE) - 1):
        status, words = verify(tmp_path, WHOLE[:length])
        assert status == 2
        assert "damaged, cut short, or no ZIP: get it again" in words
    assert verify(tmp_path, WHOLE[100:])[0] != 0
    for more in (b"x", b"\0" * 64, WHOLE):
        assert verify(tmp_path, WHOLE + more)[0] != 0
        assert verify(tmp_path, more + WHOLE)[0] != 0


def edit() -> dict[str, bytes]:
    files = parts()[0]
    return files | {"changes.json": files["changes.json"].replace(b"ann", b"bob")}


def without(name: str) -> dict[str, bytes]:
    return {n: content for n, content in parts()[0].items() if n != name}


def forge() -> bytes:
    """Edited, with digests that fit and a key of the forger's own inside."""
    files = {n: c for n, c in edit().items() if n not in (SUMS, SIGNATURE)}
    return write_pack(files | {"site.pub": public_pem(OTHER)}, OTHER)


CHANGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a file was edited": (lambda: repack(edit()), "changes.json was changed"),
    "a file was taken out": (lambda: repack(without("changes.json")), "changes.json is missing"),
    "a file was added": (lambda: repack(parts()[0] | {"x.txt": b"x"}), "'x.txt' was added"),
    "the signature was taken out": (lambda: repack(without(SIGNATURE)), "not signed"),
    "the digests were taken out": (lambda: repack(without(SUMS)), "has no SHA256SUMS"),
    "it was packed anew": (
        lambda: repack(parts()[0], kind=zipfile.ZIP_DEFLATED),
        "packed anew by another program",
    ),
    "a comment was added": (lambda: repack(parts()[0], comment=b"hello"), "beside its files"),
    "digests fit what was edited": (
        lambda: repack(
            {
                **without(SUMS),
                **edit(),
                SUMS: sums_of({n: c for n, c in edit().items() if n not in (SUMS, SIGNATURE)}),
            }
        ),
        "not signed with the key in",
    ),
    "another key signed": (forge, "not signed with the key in"),
    "no digest is a digest": (
        lambda: repack({**without(SUMS), SUMS: b"hello\n"}),
        "lines that are no digests",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_somebody_did_to_it_is_said(tmp_path: Path, name: str) -> None:
    make, says = CHANGES[name]
    status, words = verify(tmp_path, make())
    assert status in (1, 2)
    assert says in words


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO(WHOLE)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr("changes.json", b"[]")
    status, words = verify(tmp_path, out.getvalue())
    assert (status, "contains changes.json twice" in words) == (2, True)


def test_the_packs_own_key_proves_nothing_and_says_so(tmp_path: Path) -> None:
    status, words = verify(tmp_path, forge(), key=False)
    assert status == 0
    assert "the key that is in the pack itself" in words
    assert "compare that fingerprint with the school's own" in words


def test_one_without_a_signature_is_not_called_in_order(tmp_path: Path) -> None:
    status, words = verify(tmp_path, write_pack(FILES, None))
    assert status == 1
    assert "not signed: whoever could write the file could change it" in words


@pytest.mark.parametrize("content", [b"", b"PK", b"%PDF", b"\0" * 1000])
def test_what_is_no_pack_is_called_so(tmp_path: Path, content: bytes) -> None:
    assert verify(tmp_path, content)[0] == 2


def test_a_small_file_that_says_it_is_huge_is_not_unpacked(tmp_path: Path) -> None:
    bomb = repack({"a": b"\0" * 50_000_000, **parts()[0]}, kind=zipfile.ZIP_DEFLATED)
    assert verify(tmp_path, bomb)[0] == 2


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    for words in (["verify", str(tmp_path / "none.zip")], ["verify", str(tmp_path)]):
        result = CliRunner().invoke(site, words, standalone_mode=False)
        assert isinstance(result.exception, UserError)
        assert str(tmp_path) in str(result.exception)
