"""Hands the mails that wait to the mail server; one that is down gets them later."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from collector.alert_settings import EmailSettings
from collector.alerts.letters import Letter, Letters, one_line
from collector.alerts.smtp import connection, explain, place, send
from collector.alerts.store import AlertStore, Mail, new_name
from edge.common.errors import Problem

TOGETHER = 3
"""So many mails that wait for the same people, and could not be sent, become one."""


def recipients(settings: EmailSettings, audience: str) -> tuple[str, ...]:
    """Nobody where the settings name none any more."""
    return settings.sites.get(audience, ()) if audience else settings.to


def compose(
    settings: EmailSettings,
    audience: str,
    letter: Letter,
    name: str,
    language: str,
    at: float,
    answers: str | None = None,
) -> EmailMessage:
    mail, domain = EmailMessage(), settings.sender.rpartition("@")[2]
    mail["From"] = f"roommood <{settings.sender}>"
    mail["To"] = ", ".join(recipients(settings, audience))
    mail["Subject"] = one_line(letter.subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(at, timezone.utc))
    mail["Message-ID"] = f"<{name}@{domain}>"
    if answers is not None:
        mail["In-Reply-To"] = mail["References"] = f"<{answers}@{domain}>"
    mail["Content-Language"] = language
    mail["Auto-Submitted"] = "auto-generated"  # so that no holiday incident answers it
    mail.set_content(letter.body, cte="quoted-printable")
    return mail


class Post:
    """`beat` says between mails that it moves; `stopping`, whether to leave the rest."""

    def __init__(
        self,
        settings: EmailSettings,
        store: AlertStore,
        letters: Letters,
        language: str,
        beat: Callable[[], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._settings, self._store, self._letters = settings, store, letters
        self._language, self._beat, self._is_stopping = language, beat, is_stopping
        self.problem: Problem | None = None
        """Why the last try failed."""
        self._refusal: Problem | None = None

    def round(self, at: float) -> None:
        """Sends what is due."""
        rows = self._store.due(at)
        if not rows:
            if self.problem is not None and not self._store.has_unsent():
                self.problem = self._refusal
            return
        try:
            with connection(self._settings) as server:
                if any(row.tries for row in rows):
                    rows = self._merge(at)
                self.problem = self._refusal
                for row in rows:
                    if self._is_stopping():
                        return
                    self._beat()
                    self._hand_over(server, row, at)
        except Problem as problem:
            self.problem = problem
            for row in self._store.due(at):
                self._store.postpone(row, at)

    def send_directly(self, letter: Letter, at: float) -> None:
        """Without the database; raises Problem."""
        with connection(self._settings) as server:
            mail = compose(self._settings, "", letter, new_name(), self._language, at)
            send(server, mail, self._settings.to)

    def _merge(self, at: float) -> list[Any]:
        """The server is back: what has waited for the same people becomes one mail."""
        self._store.hurry()
        for audience in ("", *self._settings.sites):
            rows = self._store.unsent(audience)
            if len(rows) >= TOGETHER:
                letter = self._letters.late([Letter(row.subject, row.body) for row in rows])
                self._store.replace(rows, Mail(audience, "alert", letter, new_name()), at)
        return self._store.due(at)

    def _hand_over(self, server: smtplib.SMTP, row: Any, at: float) -> None:
        to = recipients(self._settings, row.audience)
        if not to:
            self._store.drop(row)
            return
        letter = Letter(row.subject, row.body)
        mail = compose(
            self._settings, row.audience, letter, row.name, self._language, row.at, row.answers
        )
        try:
            refusals = send(server, mail, to)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:  # of this mail alone
            self.problem = explain(error, self._settings)
            self._store.postpone(row, at)
            return
        self._store.note_delivery(row, at)
        if refusals:
            self._refusal = self.problem = Problem(
                f"does not accept {refusals} of {len(to)} recipients",
                f"mail server {place(self._settings)}",
                "check alerts.email.to and sites, then restart the collector",
            )
