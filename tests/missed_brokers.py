"""Brokers that are missed, each in its own way, and the words that say so."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import Mosquitto
from tests.free import free_port

NOW = datetime.now(timezone.utc)


def certificate(folder: Path, name: str, host: str, *, days: tuple[int, int] = (-1, 30)) -> Path:
    """A certificate that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    cert = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@contextmanager
def server(
    pem: Path | None = None, *, wants: Path | None = None, port: int = 0, silent: bool = False
) -> Iterator[int]:
    """Takes connections, in TLS where it has a certificate, and ends each without a word.

    `silent`: it says nothing and ends none.
    """
    quiet: list[socket.socket] = []
    context: ssl.SSLContext | None = None
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        if wants is not None:
            context.load_verify_locations(wants)
            context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if silent:
                    quiet.append(connection)
                    continue
                try:
                    connection.settimeout(2)
                    stream = (
                        context.wrap_socket(connection, server_side=True) if context else connection
                    )
                    stream.recv(100)
                    stream.close()
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for connection in quiet:
        connection.close()
    thread.join(3)


@contextmanager
def blackhole(port: int = 0) -> Iterator[int]:
    """A port whose queue is full: what knocks there hears nothing, as behind a firewall."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        address = listener.getsockname()
        sockets = [socket.socket() for _ in range(3)]
        for one in sockets:
            one.setblocking(False)
            one.connect_ex(address)
        yield address[1]
        for one in sockets:
            one.close()


@contextmanager
def picky(folder: Path) -> Iterator[int]:
    """A real broker that lets nobody in without a name."""
    broker = Mosquitto(folder)
    (folder / "mosquitto.conf").write_text(f"listener {broker.port} 127.0.0.1\n")
    broker.start()
    try:
        yield broker.port
    finally:
        broker.stop()


class Way(NamedTuple):
    """One way to miss a broker: the settings that do, and what is to be said."""

    begin: Callable[[Path], AbstractContextManager[dict[str, Any]]]
    why: str
    remedy: str


@contextmanager
def _at(port: int, **more: Any) -> Iterator[dict[str, Any]]:
    yield {"port": port, **more}


@contextmanager
def _with(opens: AbstractContextManager[int], **more: Any) -> Iterator[dict[str, Any]]:
    with opens as port:
        yield {"port": port, **more}


def _tls(folder: Path, host: str = "127.0.0.1", days: tuple[int, int] = (-1, 30)) -> Path:
    return certificate(folder, "broker", host, days=days)


def _other(folder: Path) -> Path:
    return certificate(folder, "other", "127.0.0.1")


def _own(folder: Path, **kwargs: Any) -> AbstractContextManager[dict[str, Any]]:
    """A broker whose certificate we trust, with something wrong in it."""
    pem = _tls(folder, **kwargs)
    return _with(server(pem), ca=str(pem))


WAYS: dict[str, Way] = {
    "a name that nobody knows": Way(
        lambda _: _at(1883, host="mood.invalid"),
        "mood.invalid:1883: this name is not known here",
        "check broker.host, and this machine's DNS server",
    ),
    "a port where nothing is": Way(
        lambda _: _at(free_port()),
        "nothing accepts connections there",
        "check broker.port, and that the broker runs",
    ),
    "an IPv6 address where nothing is": Way(lambda _: _at(1, host="[::1]"), "[::1]:1: ", "check "),
    "a network that swallows": Way(
        lambda _: _with(blackhole()), "no answer", "check broker.host, the network, and firewalls"
    ),
    "a server that says nothing": Way(
        lambda _: _with(server(silent=True)), "no answer", "check broker.port; where the broker"
    ),
    "a server that hangs up": Way(
        lambda _: _with(server()),
        "closes the connection without an answer",
        "check broker.port; where the broker wants TLS, set broker.ca",
    ),
    "no TLS where it is wanted": Way(
        lambda at: _with(server(_tls(at))),
        "closes the connection without an answer",
        "check broker.port; where the broker wants TLS, set broker.ca",
    ),
    "TLS where there is none": Way(
        lambda at: _with(server(), ca=str(_tls(at))),
        "does not speak TLS as we do",
        "check broker.port (8883 is usual with TLS, 1883 without), and broker.ca",
    ),
    "the wrong authority": Way(
        lambda at: _with(server(_tls(at)), ca=str(_other(at))),
        "its certificate is not signed by",
        "set broker.ca to the authority that signed it",
    ),
    "a certificate of another name": Way(
        lambda at: _own(at, host="1.2.3.4"), "its certificate is for another", "set broker.host to"
    ),
    "a certificate that has ended": Way(
        lambda at: _own(at, days=(-20, -10)),
        "its certificate has expired",
        "renew it on the broker",
    ),
    "a certificate that is to come": Way(
        lambda at: _own(at, days=(10, 20)), "its certificate is not valid yet", "check this machine"
    ),
    "a broker that wants our certificate": Way(
        lambda at: _with(server(_tls(at), wants=_other(at)), ca=str(at / "broker.pem")),
        "rejects our certificate",
        "check broker.certificate and broker.key",
    ),
    "a wrong password": Way(
        lambda at: _with(picky(at), username="kim", password="wrong"),
        "rejects us (Not authorized)",
        "check broker.username, broker.password and broker.certificate",
    ),
}
"""Of settings that can be read. What stands in them that is no name is refused before."""
