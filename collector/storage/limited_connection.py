"""A connection to PostgreSQL on which nobody waits for ever.

A limit of the server's own, `statement_timeout`, ends a statement that is slow, and says nothing
when the server itself hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg

Limit = Callable[[float], str]
"""Of how long somebody has waited, in seconds, why they are not to wait on; or nothing."""


class LimitedConnection(psycopg.Connection[Any]):
    """Asks its limit before each statement, and ten times a second while it waits."""

    limit: Limit = staticmethod(lambda _waited_s: "")

    def wait(self, gen: Generator[Any, Any, Any], *more: Any, **options: Any) -> Any:
        return super().wait(self._until_limit(gen), *more, **options)

    def _until_limit(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """What psycopg waits for, until the limit; then the connection is of no use any more."""
        begin = time.monotonic()
        answer: Any = None
        while True:
            if why := self.limit(time.monotonic() - begin):
                gen.close()
                self.close()
                raise psycopg.OperationalError(why)
            try:
                answer = yield gen.send(answer)
            except StopIteration as end:
                return end.value


def opener(limit: Limit) -> Callable[..., LimitedConnection]:
    """For SQLAlchemy's event `do_connect`."""

    def open_connection(
        _dialect: Any, _record: Any, arguments: Any, options: Any
    ) -> LimitedConnection:
        if why := limit(0.0):
            raise psycopg.OperationalError(why)
        connection = LimitedConnection.connect(*arguments, **options)
        connection.limit = limit
        return connection

    return open_connection
