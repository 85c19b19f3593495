"""Windows of a long time, page by page: a page with older ones names the next in its `Link`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request

from collector.live.viewer_messages import as_json
from collector.storage.store import WindowPosition
from edge.protocol.messages import Mood

MOST = 10_000
"""Windows of one answer: some 1.5 MB, and two days of the usual 15 seconds."""

NUMBER = r"\d{1,12}(\.\d{1,9})?"

Limit = Annotated[int, Query(ge=1, le=MOST, description="Windows of one answer at most.")]
Before = Annotated[
    str | None,
    Query(
        pattern=rf"^{NUMBER}~\d{{1,18}}$",
        description="Where the page before this one begins, as its `Link` has it.",
    ),
]

NEXT_PAGE = {
    "description": 'Only where there are older windows: `<address>; rel="next"` (RFC 8288).',
    "schema": {"type": "string"},
}


def place(before: str | None) -> WindowPosition | None:
    if before is None:
        return None
    start, _, number = before.partition("~")
    return WindowPosition(float(start), int(number))


def as_array(parts: Iterator[list[Mood]]) -> Iterator[str]:
    """JSON, some windows at a time; the first are read at once, so that a database that does not
    answer is an error and no half answer."""
    first = next(parts)

    def texts() -> Iterator[str]:
        yield "[" + ",".join(map(as_json, first))
        has_started = bool(first)
        for part in parts:
            if part:
                yield "," * has_started + ",".join(map(as_json, part))
                has_started = True
        yield "]"

    return texts()


def next_page(request: Request, since: datetime, until: datetime, oldest: WindowPosition) -> str:
    """The header's value: the same question, about what is older; times are written out, so that
    'half an hour ago' stays the same half hour."""
    span = {"from": since.isoformat(), "to": until.isoformat()}
    url = request.url.include_query_params(**span, before=f"{oldest.start!r}~{oldest.id}")
    return f'<{url.path}?{url.query}>; rel="next"'
