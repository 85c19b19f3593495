"""Hands one receiver what it is to be told; each has a thread, so that none waits for another."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, select, update
from standardwebhooks import Webhook as Signer

from collector.integrations.webhook_post import DEADLINE_S, Refusal, WebhookPost
from collector.storage.erasures import Erasures, tells_of
from collector.storage.tables import deliveries
from edge.common.address import mask_path
from edge.common.errors import UserError
from edge.common.worker import Worker

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3600.0
GIVES_UP_AFTER = 30
"""Tries: about a day."""
AT_ONCE = 50
LOOK_S = 1.0


class Target(NamedTuple):
    url: str
    signer: Signer
    events: frozenset[str]


def target(url: str, secret: str, events: Iterable[str]) -> Target:
    try:
        signer = Signer(secret)
    except Exception:  # the library raises what base64 raises, and its own
        raise UserError(
            "the secret is not base64",
            f"webhooks: {mask_path(url)}",
            "write it as in whsec_c2VjcmV0",
        ) from None
    return Target(url, signer, frozenset(events))


class WebhookReceiver(Worker):
    """Sends what the database has for one address, oldest first, until it was taken."""

    def __init__(
        self,
        engine: Engine,
        to: Target,
        erasures: Erasures | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._place = mask_path(to.url)
        super().__init__(
            f"webhook {self._place}", LOOK_S, ends_in_s=deadline_s + 1, waits_for_others=True
        )
        self._engine, self._to, self._erasures = engine, to, erasures
        self._post = WebhookPost(deadline_s)
        self._complaint = ""

    def run_once(self) -> None:
        self.round(time.time())

    def finish(self) -> None:
        self._post.close()

    def round(self, now: float) -> None:
        """Sends what is due; one that does not answer is asked again later, not for each event."""
        mine = (deliveries.c.url == self._to.url, deliveries.c.next <= now, ~deliveries.c.given_up)
        with self._engine.connect() as connection:
            query = select(deliveries).where(*mine).order_by(deliveries.c.id).limit(AT_ONCE)
            rows = connection.execute(query).all()
        if rows and self._erasures is not None:
            self._erasures.recheck()
        erased_rows = [row for row in rows if self._is_erased(row.body)]
        for row in erased_rows:
            self._delete(row)
        for row in rows:
            if self._stopping.is_set():
                return
            if row in erased_rows:
                continue
            self.beat()
            try:
                self._send(_name(row), row.body)
            except Refusal as refusal:
                self._complain(str(refusal))
                self._postpone(row)
            except OSError as error:
                self._complain(str(error))
                self._postpone(row)
                return
            else:
                self._complain("")
                self._delete(row)

    def _send(self, name: str, body: str) -> None:
        at = datetime.now(timezone.utc)
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._to.signer.sign(name, at, body),
        }
        self._post.send(self._to.url, body, headers)

    def _complain(self, of: str) -> None:
        """What is wrong when it begins, not at each try. It is not said in health, which is about
        this collector and not about others' machines."""
        if of and of != self._complaint:
            log.warning("webhooks: %s: %s; its events wait for up to a day", self._place, of)
        elif self._complaint and not of:
            log.info("webhooks: %s: takes events again", self._place)
        self._complaint = of

    def _postpone(self, row: Any) -> None:
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**row.tries)
        over = row.tries + 1 >= GIVES_UP_AFTER
        if over:
            log.error("webhooks: %s: did not accept an event for a day; giving up", self._place)
        values = {"tries": row.tries + 1, "next": time.time() + wait, "given_up": over}
        with self._engine.begin() as connection:
            where = deliveries.c.id == row.id
            connection.execute(update(deliveries).where(where).values(values))

    def _delete(self, row: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(deliveries).where(deliveries.c.id == row.id))

    def _is_erased(self, body: str) -> bool:
        """Whether it is about what was erased since, while it waited or in a backup."""
        if self._erasures is None:
            return False
        return any(tells_of(body, one) for some in self._erasures.all().values() for one in some)


def _name(row: Any) -> str:
    """The same at each try; events of before they had names of their own go by their row."""
    own = f"msg_{row.id}"
    try:
        return str(json.loads(row.body).get("id") or own)
    except (ValueError, AttributeError, RecursionError):  # of a row that somebody changed
        return own
