"""A real mail server on loopback, with TLS and sign-in, that a test may stop and start again."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collector.fleet.authority import Authority, pem
from tests.free import free_port

Tls = Literal["starttls", "tls", "none"]
USER, PASSWORD = "roommood", "s3cret wörd: ÄÖ"


class MailServer:
    """`replies` are given to mails, one each, before one is accepted; `unknown_people` are
    recipients that it rejects."""

    def __init__(self, folder: Path, tls: Tls = "starttls", name: str = "localhost") -> None:
        self.port, self.tls = free_port(), tls
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[Envelope] = []
        self.replies: list[str] = []
        self.unknown_people: set[str] = set()
        self.signed_in = 0
        self.ca = folder / "mail-ca.pem"
        self._context = self._make_context(folder, name)
        self._controller: Controller | None = None

    def _make_context(self, folder: Path, name: str) -> ssl.SSLContext:
        authority = Authority.make("mail", ec.generate_private_key(ec.SECP256R1()))
        key = ec.generate_private_key(ec.SECP256R1())
        self.ca.write_text(authority.pem)
        chain = folder / "mail.pem"
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        chain.write_text(text + pem(authority.sign_server(key.public_key(), name, [name])))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Of `alerts.email`."""
        own = {
            "server": "localhost",
            "port": self.port,
            "tls": self.tls,
            "username": USER,
            "password": PASSWORD,
            "sender": "roommood@school.example",
            "to": ["it@school.example"],
        }
        return own | ({} if self.tls == "none" else {"ca": self.ca}) | changes

    def start(self) -> None:
        options: dict[str, Any] = {"auth_required": True, "authenticator": self._sign_in}
        if self.tls == "starttls":
            options |= {"tls_context": self._context, "require_starttls": True}
        elif self.tls == "tls":
            options |= {"ssl_context": self._context, "auth_require_tls": False}
        else:
            options |= {"auth_require_tls": False}
        self._controller = Controller(self, hostname="localhost", port=self.port, **options)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
        self._controller = None

    @property
    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        """The mails' bodies, with line ends as here."""
        return [str(mail.get_content()).replace("\r\n", "\n") for mail in self.mails]

    def _sign_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        good = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        self.signed_in += good
        return AuthResult(success=good, handled=good)  # or it answers nothing

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        if address in self.unknown_people:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if self.replies:
            return self.replies.pop(0)
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.envelopes.append(envelope)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"
