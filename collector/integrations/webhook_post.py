"""Posts one event to one receiver within a deadline, whatever that receiver or its name server
does: an answer that comes a byte at a time keeps to each time-out of a socket and never ends.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from edge.common.errors import in_words

if TYPE_CHECKING:
    import httpx

DEADLINE_S = 15.0
"""For all of it: the name, the connection, and the beginning of the answer."""


class Refusal(Exception):
    """A receiver that answers, and does not take this event; the next one it may."""


class WebhookPost:
    """Belongs to one thread, from its first use to `close`."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None

    def send(self, url: str, body: str, headers: dict[str, str]) -> None:
        """Raises Refusal, or OSError where there was no answer, in words."""
        import httpx  # noqa: PLC0415  # 0.1 s of a start without webhooks

        if self._loop is None or self._client is None:
            self._loop = _Loop()
            self._client = httpx.AsyncClient(timeout=self._deadline_s, follow_redirects=False)
        try:
            answer = asyncio.wait_for(
                self._answer(self._client, url, body, headers), self._deadline_s
            )
            status = self._loop.run_until_complete(answer)
        except (asyncio.TimeoutError, httpx.TimeoutException):
            raise OSError(f"no answer within {self._deadline_s:g} s") from None
        except httpx.HTTPError as error:
            raise OSError(_words(error)) from None
        except (httpx.InvalidURL, ValueError):  # a name that is none is the last
            raise OSError("is no address") from None
        if not 200 <= status < 300:
            raise Refusal(f"answers {status}")

    @staticmethod
    async def _answer(
        client: httpx.AsyncClient, url: str, body: str, headers: dict[str, str]
    ) -> int:
        # What it says is not read: a receiver whose answer never ends would hold up the next event.
        async with client.stream("POST", url, content=body, headers=headers) as answer:
            return int(answer.status_code)

    def close(self) -> None:
        if self._loop is not None and self._client is not None:
            self._loop.run_until_complete(self._client.aclose())
            self._loop.close()
        self._loop = self._client = None


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in a thread that nobody waits for: asyncio's own are waited for at the end of
    the process, however long DNS hangs."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        future: asyncio.Future[Any] = self.create_future()

        def settle(result: Any, error: Exception | None) -> None:
            if future.done():  # nobody waits any more
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def look_up() -> None:
            result, failure = None, None
            try:
                result = socket.getaddrinfo(host, port, **options)
            except Exception as error:  # whatever it is, it belongs to whoever asked
                failure = error
            if not self.is_closed():
                self.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=look_up, name="webhook's name", daemon=True).start()
        return await future


def _words(error: BaseException) -> str:
    """What the system said, below what three libraries made of it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number).lower() if number is not None and number > 0 else in_words(error)
