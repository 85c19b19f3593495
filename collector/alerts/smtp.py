"""The school's mail server: connect, sign in, hand mails over; and in words why that fails."""

from __future__ import annotations

import base64
import contextlib
import errno
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage

from collector.alert_settings import EmailSettings
from edge.common.deadline import within
from edge.common.errors import Problem, UserError, in_words, unusable
from edge.common.reach import NO_ANSWER

TIMEOUT_S = 15.0
LONGEST_S = 60.0
"""For a connection, and for each mail: a server that drips keeps to every time-out."""
SECTION = "alerts.email"
LAST_REPLY = 599

VERIFY = {
    9: ("its certificate is not valid yet", "check this machine's clock"),
    10: ("its certificate has expired", "renew it there, and check this machine's clock"),
    62: (
        "its certificate is for another name",
        f"set {SECTION}.server to a name that the certificate has",
    ),
    64: (
        "its certificate is for another address",
        f"set {SECTION}.server to a name that the certificate has",
    ),
}
"""By OpenSSL's X509_V_ERR codes, x509_vfy.h."""


@contextlib.contextmanager
def connection(settings: EmailSettings) -> Iterator[smtplib.SMTP]:
    """Signed in; raises Problem where that fails, as for everything within."""
    name = f"mail server's answer {place(settings)}"
    try:
        server = within(LONGEST_S, lambda: _connect(settings), name)
    except (OSError, smtplib.SMTPException) as error:
        raise explain(error, settings) from None
    try:
        yield server
    except (OSError, smtplib.SMTPException) as error:
        raise explain(error, settings) from None
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            within(TIMEOUT_S, server.quit, name)
        _end(server)


def _end(server: smtplib.SMTP) -> None:
    """So that a thread that still waits for its answer ends too."""
    sock = server.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    server.close()


def _connect(settings: EmailSettings) -> smtplib.SMTP:
    host, port = settings.place
    # Without a name of ours smtplib asks DNS for one, which may take its time.
    ours = _own_name()
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, ours, timeout=TIMEOUT_S, context=_context(settings)
        )
    else:
        server = smtplib.SMTP(host, port, ours, timeout=TIMEOUT_S)
    try:
        if settings.tls == "starttls":
            server.starttls(context=_context(settings))
        if settings.username:
            _sign_in(server, settings.username, settings.password.get_secret_value())
    except BaseException:
        server.close()
        raise
    return server


def _sign_in(server: smtplib.SMTP, username: str, password: str) -> None:
    """smtplib's own way takes ASCII alone; RFC 4616 has UTF-8."""
    if f"{username}{password}".isascii():
        server.login(username, password)
        return
    server.ehlo_or_helo_if_needed()
    if "PLAIN" not in server.esmtp_features.get("auth", "").upper():
        raise smtplib.SMTPNotSupportedError("no AUTH PLAIN")
    words = base64.b64encode(f"\0{username}\0{password}".encode()).decode("ascii")
    code, answer = server.docmd("AUTH", f"PLAIN {words}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _own_name() -> str:
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]{1,253}", name) else "[127.0.0.1]"


def _context(settings: EmailSettings) -> ssl.SSLContext:
    if settings.ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(settings.ca))
    except ssl.SSLError as error:
        raise unusable(ValueError(error), settings.ca, "write it anew, as PEM") from None
    except OSError as error:
        raise unusable(error, settings.ca, "copy it there again") from None


def send(server: smtplib.SMTP, mail: EmailMessage, recipients: tuple[str, ...]) -> int:
    """Hands one mail over; returns how many of the recipients the server does not accept."""
    to = list(recipients)
    name = "mail server's answer to a mail"
    return len(within(LONGEST_S, lambda: server.send_message(mail, to_addrs=to), name))


def try_server(settings: EmailSettings) -> Problem | None:
    """Connects and signs in, and sends nothing; None where that works. Raises UserError for an
    authority's file that cannot be used."""
    try:
        with connection(settings) as server:
            server.noop()
    except UserError:
        raise
    except Problem as problem:
        return problem
    return None


def place(settings: EmailSettings) -> str:
    host, port = settings.place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def explain(error: BaseException, settings: EmailSettings) -> Problem:
    """What an error of a mail server means; of its own words the code alone is repeated."""
    what, remedy = _meaning(error, settings)
    return Problem(what, f"mail server {place(settings)}", remedy)


def _meaning(error: BaseException, settings: EmailSettings) -> tuple[str, str]:  # noqa: PLR0911  # one line for each
    if isinstance(error, smtplib.SMTPServerDisconnected) and error.__context__ is not None:
        error = error.__context__  # smtplib says that it was closed, whatever it was
    code = getattr(error, "smtp_code", None)
    code_text = f" ({code})" if isinstance(code, int) and 0 < code <= LAST_REPLY else ""
    port = f"check {SECTION}.port and {SECTION}.tls: starttls is usual at 587, tls at 465"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return (
            f"rejects our user and password{code_text}",
            f"check {SECTION}.username and password; some providers want a password for programs",
        )
    if isinstance(error, smtplib.SMTPSenderRefused):
        remedy = f"set {SECTION}.sender to an address that this user may send from"
        return f"does not accept the sender{code_text}", remedy
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({reply[0] for reply in error.recipients.values()})
        code_text = f" ({', '.join(map(str, codes))})"
        return f"accepts none of the recipients{code_text}", f"check {SECTION}.to and sites"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        if settings.tls == "starttls" and "STARTTLS" in str(error):
            return "does not offer STARTTLS", port
        return "offers no sign-in that we know", f"{port}; or leave out username and password"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "closes the connection", port
    if isinstance(error, smtplib.SMTPResponseException):
        remedy = "wait: we try again" if 400 <= (code or 0) < 500 else "ask whoever runs it"
        return f"does not accept the mail{code_text}", f"{remedy}; its log has the reason"
    if isinstance(error, ssl.SSLCertVerificationError):
        unknown = "its certificate is not signed by an authority that we know"
        return VERIFY.get(
            error.verify_code, (unknown, f"set {SECTION}.ca to the authority that signed it")
        )
    if isinstance(error, ssl.SSLError):
        return "does not speak TLS as we do", port
    if isinstance(error, smtplib.SMTPException):
        return "answers as no mail server does", port
    return _network_meaning(error, port)


def _network_meaning(error: BaseException, port: str) -> tuple[str, str]:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, socket.gaierror):
        return "this name is not known here", f"check {SECTION}.server, and this machine's DNS"
    if isinstance(error, ConnectionRefusedError):
        return "nothing accepts connections there", f"{port}; does it run?"
    if isinstance(error, TimeoutError) or number == errno.ETIMEDOUT:
        return NO_ANSWER[0], f"check {SECTION}.server, the network, and firewalls on the way"
    return in_words(error), f"check the section {SECTION} and the network"
