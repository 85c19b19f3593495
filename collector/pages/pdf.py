"""A report on paper: the report's own page, set by WeasyPrint with a style for print."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from collector.access.bounded_queue import BoundedQueue, QueueFull
from edge.common.errors import UserError

STYLES = Path(__file__).parent.parent / "static"
SHEETS = ("tokens.css", "style.css", "print.css")

MOST_IN_QUEUE, OF_ONE_READER = 16, 4
"""Reports that wait to be set, in all and of one account or link; each takes about a second, and
nobody is to wait for half a minute."""


def as_pdf(html: str, *more_sheets: str) -> bytes:
    """Raises UserError where WeasyPrint or its libraries are missing."""
    try:
        import weasyprint
    except (ModuleNotFoundError, OSError):
        raise UserError(
            "WeasyPrint or Debian's Pango is missing",
            "PDF",
            "pip install 'roommood[pdf]' and apt install libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0",
        ) from None

    # It names every property of the screen's style that paper has no use for.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)

    def nothing_from_elsewhere(url: str) -> dict[str, object]:
        raise ValueError(f"{url}: a report fetches nothing")

    styles = [weasyprint.CSS(STYLES / sheet) for sheet in (*SHEETS, *more_sheets)]
    document = weasyprint.HTML(string=html, url_fetcher=nothing_from_elsewhere)
    content: bytes = document.write_pdf(stylesheets=styles, pdf_variant="pdf/ua-1")
    return content


class PdfQueue:
    """For the web server's loop: one report is made and set at a time, in a thread that answers
    nobody else.

    Whoever asks for what is being made just then, as a class does that got one link, gets that.
    """

    def __init__(self) -> None:
        self._queue = BoundedQueue("paper", 1, MOST_IN_QUEUE, OF_ONE_READER)
        self._under_way: dict[tuple[str, int, str], asyncio.Task[bytes]] = {}
        self._is_prepared = False

    async def set(self, reader: str, lesson: int, language: str, html: Callable[[], str]) -> bytes:
        """Raises QueueFull, and UserError as `as_pdf` does; `reader`: by whose rights."""
        key = reader, lesson, language
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._queue.run(reader, lambda: as_pdf(html())))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)  # whoever goes away leaves it to the others

    async def prepare(self) -> None:
        """Loads what sets pages, which takes longer than to set one; without it `set` tells."""
        if self._is_prepared:
            return
        self._is_prepared = True
        with contextlib.suppress(UserError, QueueFull):
            await self._queue.run("prepare", as_pdf, "<p>.</p>")

    def stop(self) -> bool:
        """Waits for the page under way, but not for long; returns whether it has ended."""
        return self._queue.stop()
