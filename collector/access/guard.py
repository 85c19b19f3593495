"""Stands before every route: who asks, whether they may, and how often."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from collector.access.accounts import Room
from collector.access.audit import AuditLog
from collector.access.limits import Limits, network_of
from collector.access.policy import RIGHTS, ROUTES, WITHOUT_DATABASE, Right, sees_all
from collector.access.sessions import Principal, Sessions
from collector.lessons.repository import (
    EVERY_LESSON,
    Lesson,
    LessonFilter,
    LessonRepository,
)
from edge.common.errors import UserError

COOKIE = "session"
"""The key of the session's secret in the signed cookie."""

OFTEN = 600
"""Requests a minute from one address: a school behind one router, and no flood."""

BEARER = "Bearer "

SILENCE_S = 60.0
"""After so long without news a feed is asked whether it may go on."""

T = TypeVar("T")


def too_often(seconds: float = 60) -> HTTPException:
    return HTTPException(429, "too often: wait a minute", {"retry-after": str(math.ceil(seconds))})


def address(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


def network(request: Request) -> str:
    """The same as limits count it."""
    return network_of(address(request))


class Guard:
    """One for all routes: `app = FastAPI(dependencies=[Depends(guard)])`."""

    def __init__(
        self,
        sessions: Sessions,
        repository: LessonRepository,
        audit: AuditLog,
        limits: Limits,
        feeds: int = 1500,
        feeds_each: int = 100,
    ) -> None:
        self._feeds: Counter[str] = Counter()
        self._most_feeds, self._most_feeds_each = feeds, feeds_each
        self._sessions = sessions
        self._repository = repository
        self._audit = audit
        self._limits = limits

    async def __call__(self, request: Request) -> None:
        """Leaves the principal in the request; raises HTTPException 401, 403, 404 or 429."""
        path = request.scope["route"].path
        name = ROUTES.get((request.method, path))
        if name is None:
            raise HTTPException(403, "this route is in no one's rights")
        if path in WITHOUT_DATABASE:
            request.state.principal = None
        else:
            await run_in_threadpool(self._check, name, request)

    def _check(self, name: str, request: Request) -> None:
        who = self.who(request)
        request.state.principal = who
        right = RIGHTS[name]
        if right is None:
            return
        if who is None:
            raise HTTPException(401, "sign in first", {"www-authenticate": "Bearer"})
        if not self._limits.hit(OFTEN, "api", network(request), who.name):
            raise too_often()
        if not self._may(who, right, request):
            self._audit.count_denial(
                who.log_name, "refused", f"{request.method} {request.url.path}"
            )
            raise HTTPException(403, "you don't have permission")

    async def room_for_feed(self, request: Request) -> None:
        """Raises 429 for one more than an account, or all together, may have open."""
        if not self._has_room(request.state.principal.key):
            raise too_often(10)

    def _has_room(self, key: str) -> bool:
        each = self._feeds[key] < self._most_feeds_each
        return each and self._feeds.total() < self._most_feeds

    async def authorized_feed(self, request: Request, feed: AsyncIterator[T]) -> AsyncIterator[T]:
        """A feed that ends with the right to read it, which is asked before every event, and while
        there is none from time to time."""
        key = request.state.principal.key
        if not self._has_room(key):
            return  # of those that came at once
        self._feeds[key] += 1
        try:
            async for item in _or_silence(feed):
                if not await run_in_threadpool(self._still, request):
                    return
                if item is not None:
                    yield item
        finally:
            self._feeds[key] -= 1
            if not self._feeds[key]:
                del self._feeds[key]

    def _still(self, request: Request) -> bool:
        """Whether whoever asked may still; this is no request more, and no look more."""
        who = self.who(request)
        right = RIGHTS[ROUTES[request.method, request.scope["route"].path]]
        return who is not None and right is not None and self._may(who, right, request)

    def who(self, request: Request) -> Principal | None:
        """By the header, which counts alone where there is one, else by the cookie."""
        header = request.headers.get("authorization")
        if header is not None:
            if not header.startswith(BEARER):
                return None
            return self._sessions.of_token(header[len(BEARER) :])
        secret = request.session.get(COOKIE)
        return self._sessions.of_cookie(secret) if secret else None

    def _may(self, who: Principal, right: Right, request: Request) -> bool:
        scope = right.scope
        if request.method != "GET" and scope == "read":
            scope = "control"
        if who.role not in right.roles or (right.about_own and who.account is None):
            return False
        if who.scopes is not None and scope not in who.scopes:
            return False
        if right.of == "room":
            return sees(who, request.path_params["site"], request.path_params["room"])
        if right.of == "lesson":
            return self._owns(who, request)
        return True

    def _owns(self, who: Principal, request: Request) -> bool:
        try:
            lesson = self._repository.lesson(int(request.path_params["lesson"]))
        except (UserError, ValueError, OverflowError):
            raise HTTPException(404, "there is no such lesson") from None
        request.state.lesson = lesson
        return owns(who, lesson)


async def _or_silence(feed: AsyncIterator[T]) -> AsyncIterator[T | None]:
    """What a feed brings, and None whenever it has brought nothing for a while."""
    news = asyncio.ensure_future(anext(feed, None))
    try:
        while True:
            await asyncio.wait({news}, timeout=SILENCE_S)
            if not news.done():
                yield None
                continue
            item = news.result()
            if item is None:
                return
            yield item
            news = asyncio.ensure_future(anext(feed, None))
    finally:
        news.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await news
        if isinstance(feed, AsyncGenerator):
            await feed.aclose()


def sees(who: Principal, site: str, room: str) -> bool:
    """Whether a room is one of theirs."""
    return sees_all(who.role) or (site, room) in who.rooms


def may_see(who: Principal) -> bool:
    """Whether the role sees what goes on in its rooms, and not only that their devices work."""
    right = RIGHTS["see"]
    return right is not None and who.role in right.roles


def owns(who: Principal, lesson: Lesson) -> bool:
    """A lesson is its account's; one that is nobody's, of those who teach in the room.

    While it goes on it shows its room as it is now: for that the room has to be theirs as well.
    One whose teacher has no account, or none any more, is for administrators. Whoever has a link
    reads the one lesson that it leads to, while it is its maker's.
    """
    if who.role == "viewer":
        return who.lesson == lesson.id and who.lender is not None and owns(who.lender, lesson)
    if who.role == "administrator":
        return True
    here = sees(who, lesson.site, lesson.room)
    if lesson.account is None:
        return lesson.teacher is None and here
    return who.account == lesson.account and (lesson.end is not None or here)


def _principal(request: Request) -> Principal | None:
    principal: Principal | None = request.state.principal
    return principal


def _signed_in(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


def _lesson(request: Request) -> Lesson:
    lesson: Lesson = request.state.lesson
    return lesson


Anyone = Annotated[Any, Depends(_principal)]
SignedIn = Annotated[Principal, Depends(_signed_in)]
ThisLesson = Annotated[Lesson, Depends(_lesson)]


def own_lessons(
    repository: LessonRepository,
    who: Principal,
    limit: int = 200,
    only: LessonFilter = EVERY_LESSON,
) -> list[Lesson]:
    """Those that somebody may see, newest first."""
    rooms: frozenset[Room] | None = None if who.role == "administrator" else who.rooms
    return [one for one in repository.of(who.account, rooms, limit, only) if owns(who, one)]
