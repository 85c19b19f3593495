"""What cannot be taken back is asked first, on a page that names what will happen.

It is the answer to the same form without `confirm`, so it needs no script: whoever sends a form by
one click gets the question, and nothing has happened yet.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, HTTPException, Request

from collector.access.sessions import ShareLink
from collector.pages.render import Renderer, language_of
from collector.pages.words import words

Confirm = Annotated[str, Form(max_length=65)]
"""What the question's own form sends: empty where nobody was asked yet."""


def ask(
    renderer: Renderer,
    request: Request,
    question: str,
    subject: str,
    *,
    back: str,
    fields: dict[str, str] | None = None,
    word: str = "",
) -> Any:
    """The question, by its key in `questions`, about `subject`.

    Its form goes to the asked address with `fields` again; `back` is where one goes to leave
    everything as it is. With `word`, that is to be typed, for what nobody could get back.
    """
    texts = words(language_of(request))["questions"][question]
    context = {
        "title": texts["ask"].format(subject),
        "happens": texts["happens"],
        "button": texts["do"],
        "back": back,
        "fields": fields or {},
        "word": word,
    }
    return renderer.page(request, "question.html", **context)


def ask_about_link(
    renderer: Renderer, request: Request, links: list[ShareLink], link: int, back: str
) -> Any:
    """Whether one of `links` is to end; raises HTTPException 404 where it is none of them."""
    makers = {one.id: one.made_by for one in links}
    if link not in makers:
        raise HTTPException(404)
    return ask(renderer, request, "link", makers[link], back=back)
