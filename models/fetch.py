"""`roommood model fetch`: gets a file that is not shipped from its publisher, and checks it."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import click

from edge.common import atomic_file
from edge.common.errors import UserError

TIMEOUT_S = 30


class PublishedFile(NamedTuple):
    """A file somewhere else; it never changes, or its SHA-256 would."""

    url: str
    sha256: str
    size: int
    licence: str


PUBLISHED_FILES = {
    "yunet": PublishedFile(
        "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
        "face_detection_yunet/face_detection_yunet_2023mar.onnx",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        232_589,
        "MIT, OpenCV Zoo",
    ),
}


def download(name: str, out: Path, file: PublishedFile | None = None) -> Path:
    """Downloads, checks and then puts in place; raises UserError, and leaves nothing behind."""
    what = file or PUBLISHED_FILES[name]
    by_hand = f"get {what.url} elsewhere, copy it to {out}, and run this again to check it"
    if out.exists():
        _check(out.read_bytes(), what, str(out))
        return out
    try:
        with urllib.request.urlopen(what.url, timeout=TIMEOUT_S) as answer:  # noqa: S310  # ours
            content = answer.read(what.size + 1)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(f"cannot be fetched ({reason})", name, by_hand) from None
    _check(content, what, what.url)
    try:
        atomic_file.write(out, content)
    except OSError as error:
        raise UserError(str(error.strerror), out, "choose another place with --out") from None
    return out


def _check(content: bytes, what: PublishedFile, where: str) -> None:
    if hashlib.sha256(content).hexdigest() != what.sha256:
        raise UserError(
            "not the file that was published (SHA-256)", where, "remove it and try again"
        )


@click.command()
@click.argument("name", type=click.Choice(sorted(PUBLISHED_FILES)))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def fetch(name: str, out: Path | None) -> None:
    """Download an optional detector from its publisher, or check an existing copy."""
    place = download(name, out or Path(f"{name}.onnx"))
    click.echo(f"{place}: {PUBLISHED_FILES[name].licence}; SHA-256 as pinned", err=True)
    click.echo(f"faces:\n  detector: {name}\n  model: {place}")
