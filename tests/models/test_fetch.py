from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edge.common.errors import UserError
from models.fetch import PUBLISHED_FILES, PublishedFile, download
from tests.free import free_port

CONTENT = b"a network" * 100


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[PublishedFile]:
    """A web server with the file."""
    folder = tmp_path / "publisher"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(CONTENT)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *about: Any) -> None:
            super().__init__(*about, directory=str(folder))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/net.onnx"
    yield PublishedFile(url, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "MIT")
    server.shutdown()
    server.server_close()


def test_a_file_is_fetched_checked_and_put_in_place(
    publisher: PublishedFile, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "net.onnx"
    assert download("net", out, publisher) == out
    assert out.read_bytes() == CONTENT
    assert [path.name for path in out.parent.iterdir()] == ["net.onnx"]


def test_a_file_that_was_changed_is_refused(publisher: PublishedFile, tmp_path: Path) -> None:
    other = publisher._replace(sha256="0" * 64)
    with pytest.raises(UserError, match="not the file that was published"):
        download("net", tmp_path / "net.onnx", other)
    assert not (tmp_path / "net.onnx").exists()


def test_offline_it_says_what_to_do(publisher: PublishedFile, tmp_path: Path) -> None:
    nowhere = publisher._replace(url=f"http://127.0.0.1:{free_port()}/net.onnx")
    with pytest.raises(
        UserError, match=r"cannot be fetched \(.*\): get http.* copy it to .*net.onnx"
    ):
        download("net", tmp_path / "net.onnx", nowhere)


def test_a_copy_that_was_brought_by_hand_is_checked(
    publisher: PublishedFile, tmp_path: Path
) -> None:
    nowhere = publisher._replace(url="http://127.0.0.1:9/")
    out = tmp_path / "net.onnx"
    out.write_bytes(CONTENT)
    assert download("net", out, nowhere) == out
    out.write_bytes(CONTENT + b"!")
    with pytest.raises(UserError, match=r"net\.onnx: not the file"):
        download("net", out, nowhere)


def test_what_is_pinned_is_pinned_in_full() -> None:
    for entry in PUBLISHED_FILES.values():
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert entry.url.startswith("https://")
