"""A real web server with TLS on loopback that publishes a file, in whatever way a test wants."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body; Content-Length is added where it is not said."""


class Publisher:
    """Between its making and `stop`; `answer` says what each request gets."""

    def __init__(self, folder: Path, *, days: int = 2, host: str = "127.0.0.1") -> None:
        self.certificate = folder / "publisher.pem"
        key = folder / "publisher.key"
        _write_certificate(self.certificate, key, days, host)
        self.requests: list[dict[str, str]] = []
        self.answer: Callable[[str, dict[str, str]], Answer] = lambda _path, _headers: (
            404,
            {},
            b"",
        )
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                publisher.requests.append({**headers, "path": self.path})
                status, more, body = publisher.answer(self.path, headers)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **more}.items():
                    self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, content: bytes, etag: str = '"1"', modified: str = "") -> None:
        """One content, at every path, to whoever does not have it yet."""

        def answer(_path: str, headers: dict[str, str]) -> Answer:
            fields = {"ETag": etag} if etag else {}
            fields |= {"Last-Modified": modified} if modified else {}
            same_tag = bool(etag) and headers.get("if-none-match") == etag
            same_time = bool(modified) and headers.get("if-modified-since") == modified
            return (304, fields, b"") if same_tag or same_time else (200, fields, content)

        self.answer = answer

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _write_certificate(certificate: Path, key_file: Path, days: int, host: str) -> None:
    """Its own authority, valid from two days ago for `days` more."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publisher")])
    now = datetime.now(timezone.utc)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(host))]), False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
