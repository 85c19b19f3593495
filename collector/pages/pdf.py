"""A report on paper: the report's own page, set by WeasyPrint with a style for print."""

from __future__ import annotations

import contextlib
import logging
from functools import lru_cache
from pathlib import Path

from edge.common.errors import UserError

STYLES = Path(__file__).parent.parent / "static"
SHEETS = ("tokens.css", "style.css", "print.css")


@lru_cache(maxsize=1)
def prepare() -> None:
    """Loads what sets pages, which takes longer than to set one; without it `as_pdf` tells."""
    with contextlib.suppress(UserError):
        as_pdf("<p>.</p>")


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
