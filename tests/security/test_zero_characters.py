"""The character of number zero, which PostgreSQL takes in no text, is refused everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi.routing import iter_route_contexts

from tests.collector.school import School
from tests.postgres import Postgres

pytestmark = pytest.mark.once

QUERIES = ("q", "text", "room", "site", "from", "to", "offset", "day", "week", "title", "next")


def test_a_zero_character_is_no_fault_of_ours_anywhere(tmp_path: Path, postgres: Postgres) -> None:
    """In each path and query, in fields of forms and in JSON, from an administrator."""
    bad = []
    with School(tmp_path, database=postgres.fresh()) as school:
        school.staff()
        with school.as_person("ann") as ann:
            token = ann.cookies["csrftoken"]
            fields = [*QUERIES, "name", "password", "role", "rooms", "words", "code", "note"]
            form = urlencode(dict.fromkeys(fields, "a\x00b") | {"csrftoken": token})
            kinds = {"content-type": "application/x-www-form-urlencoded"}
            for context in iter_route_contexts(school.service.app.routes):
                path = str(context.path)
                if path.endswith("/live") or path == "/healthz":  # a feed; and there is no broker
                    continue
                query = urlencode(dict.fromkeys(QUERIES, "a\x00b"))
                for value in ("a%00b", "1"):
                    place = re.sub(r"{[^}]*}", value, path)
                    for method in sorted(context.methods or ()):
                        if method == "GET":
                            tries = [ann.get(f"{place}?{query}")]
                        else:
                            tries = [
                                ann.request(method, place, content=form, headers=kinds),
                                ann.request(method, place, json=dict.fromkeys(fields, "a\0b")),
                            ]
                        bad += [
                            f"{method} {place}: {one.status_code}"
                            for one in tries
                            if one.status_code >= 500
                        ]
    assert bad == []
