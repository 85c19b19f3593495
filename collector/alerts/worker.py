"""Watches what is wrong, and tells by mail and webhook: by cause, once, not in quiet hours."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from collector.alert_settings import AlertSettings
from collector.alerts.hours import Hours
from collector.alerts.incidents import Entries, Incident, due_incidents, settle, update
from collector.alerts.letters import Letters
from collector.alerts.post import Post
from collector.alerts.sight import Sight
from collector.alerts.store import HOUR_S, AlertStore, Mail, new_name
from edge.common.errors import Problem
from edge.common.worker import Worker
from edge.protocol.messages import rfc3339_of

log = logging.getLogger(__name__)

LOOK_S = 10.0
PRUNE_S = 600.0
SEPARATE = 3
"""So many causes at once have a mail of their own each; more are told in one."""

Events = Callable[[str, dict[str, Any]], list[dict[str, Any]]]


class AlertWorker(Worker):
    """`events` gives the rows by which webhooks are told of something."""

    def __init__(
        self,
        settings: AlertSettings,
        engine: Engine,
        sight: Sight,
        letters: Letters,
        zone: str,
        events: Events,
        every_s: float = LOOK_S,
    ) -> None:
        super().__init__("alerts", every_s, patience_s=300.0, ends_in_s=16.0, waits_for_others=True)
        self._settings, self._sight, self._letters, self._events = settings, sight, letters, events
        self._store = AlertStore(engine)
        self._hours = Hours(zone, settings.quiet, settings.digest)
        self._after_s = settings.after_minutes * 60
        self._post = (
            Post(
                settings.email,
                self._store,
                letters,
                settings.language,
                self.beat,
                self._stopping.is_set,
            )
            if settings.email
            else None
        )
        self._mute_since: float | None = None
        """Since when nothing could be written down."""
        self._has_reported = False
        self._prune_at = 0.0

    def run_once(self) -> None:
        at = time.time()
        try:
            self.round(at)
        except (SQLAlchemyError, OSError):
            self._report_mute(at)
            raise
        if self._mute_since is not None:
            self._report_unmute()
        problem = self.mail_problem
        if problem is not None:
            with self.attempt("mail"):
                raise problem

    @property
    def mail_problem(self) -> Problem | None:
        """Why mails wait, where they do."""
        return self._post.problem if self._post else None

    def round(self, at: float) -> None:
        """What is to be told at a moment, and what waits for the mail server."""
        before = self._store.entries()
        without = self._settings.without
        entries = {key: replace(one) for key, one in before.items() if key.cause not in without}
        sighting = self._sight.look()
        update(entries, sighting, at, self._after_s)
        quiet = self._settings.quiet
        if quiet is not None and not quiet.tell_past:
            for key in [key for key, one in entries.items() if one.over and one.told_at is None]:
                del entries[key]
        # Nothing is said of devices that nobody can see.
        visible = {key: one for key, one in entries.items() if not (key.site and sighting.is_blind)}
        batch, mails = self._due(visible, at)
        events = [row for one in batch for row in self._events(*self._event(one, at))]
        settle(entries, batch, at)
        digest_day = self._digest(entries, mails, at)
        self._store.save(before, entries, mails, events, at, digest_day)
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_S
            if lost_count := self._store.prune(at):
                log.error("alerts: %d mails were not accepted for three days; dropped", lost_count)
        if self._post is not None:
            self._post.round(at)

    def _due(self, entries: Entries, at: float) -> tuple[list[Incident], list[Mail]]:
        """What people are told now, and the mails that say it."""
        if self._hours.is_quiet(at):
            return [], []
        batch = due_incidents(entries, at, self._after_s)
        if not batch or self._settings.email is None:
            return batch, []
        recent, most = self._store.recent(at), self._settings.mails_per_hour
        if len(recent) >= most:
            return [], []
        count = len(batch) if len(batch) <= SEPARATE else 1
        if len(recent) + count < most:
            return batch, self._mails(batch, at)
        until = (recent[0] if recent else at) + HOUR_S
        return batch, self._mails(batch, at, until)

    def _mails(self, batch: list[Incident], at: float, until: float | None = None) -> list[Mail]:
        """For all, and for those who are told of one site alone; `until` where it is the last."""
        email = self._settings.email
        mails = list[Mail]()
        for audience in ("", *(email.sites if email else ())):
            some = [one for one in batch if audience in ("", one.site)]
            if len(some) > SEPARATE or (until is not None and len(some) > 1):
                mails.append(Mail(audience, "alert", self._letters.several(some), new_name()))
            else:
                mails += [self._mail(audience, one, at) for one in some]
        if until is None:
            return mails
        return [one._replace(letter=self._letters.limit(one.letter, until)) for one in mails]

    def _mail(self, audience: str, incident: Incident, at: float) -> Mail:
        letter = self._letters.incident(incident)
        if incident.kind == "began":
            return Mail(audience, "alert", letter, _name(audience, incident, at))
        answers = (
            _name(audience, incident, incident.told_at) if incident.told_at is not None else None
        )
        return Mail(audience, "alert", letter, new_name(), answers)

    def _digest(self, entries: Entries, mails: list[Mail], at: float) -> str | None:
        """Adds the day's digest if it is time; returns the day, where that is to be noted."""
        if self._settings.digest is None or self._settings.email is None:
            return None
        last = self._store.digest_day()
        today = self._hours.day(at)
        if last is None and self._hours.has_passed(at):
            return today  # the first one comes tomorrow
        if not self._hours.is_digest_due(at, last or ""):
            return None
        present = [
            one for one in entries.values() if one.over is None and at - one.since >= self._after_s
        ]
        for audience in ("", *self._settings.email.sites):
            some = [one for one in present if audience in ("", one.key.site)]
            if some or self._settings.digest_always:
                letter = self._letters.digest(some, audience)
                mails.append(Mail(audience, "digest", letter, new_name()))
        return today

    def _event(self, incident: Incident, at: float) -> tuple[str, dict[str, Any]]:
        over = [one.over for one in incident.entries if one.over is not None]
        data = {
            "cause": incident.cause,
            "site": incident.site or None,
            "rooms": [one.key.item for one in incident.entries] if incident.site else [],
            "parts": [] if incident.site else [one.key.item for one in incident.entries],
            "since": rfc3339_of(min(one.since for one in incident.entries)),
            "until": rfc3339_of(max(over)) if over else None,
            **self._letters.reason(incident.cause),
        }
        return "alert_began" if incident.kind == "began" else "alert_ended", data

    def _report_mute(self, at: float) -> None:
        """The database takes nothing: that is told without it, once."""
        self._mute_since = self._mute_since or at
        if self._has_reported or at - self._mute_since < self._after_s or self._post is None:
            return
        if self._hours.is_quiet(at):
            return
        with self.attempt("mail"):
            self._post.send_directly(self._letters.database(self._mute_since, False), at)
            self._has_reported = True

    def _report_unmute(self) -> None:
        since, at = self._mute_since or 0.0, time.time()
        if self._has_reported and self._post is not None:
            try:
                self._post.send_directly(self._letters.database(since, True), at)
            except Problem as problem:
                log.warning("alerts: %s", problem)
        self._mute_since, self._has_reported = None, False


def _name(audience: str, incident: Incident, at: float) -> str:
    """Of the mail that says that it began: the same whenever it is asked for."""
    text = f"{audience} {incident.cause} {incident.site} {at!r}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
