"""Characters that no database takes in a text, zero and halves of others, are no fault of ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi.routing import iter_route_contexts

from tests.collector.school import School
from tests.postgres import Postgres

pytestmark = pytest.mark.once

QUERIES = ("q", "text", "room", "site", "from", "to", "offset", "day", "week", "title", "next")


@pytest.mark.parametrize(("odd", "escape"), [("a\0b", "a%00b"), ("a\ud800b", "a%ED%A0%80b")])
def test_a_zero_character_is_no_fault_of_ours_anywhere(
    tmp_path: Path, postgres: Postgres, odd: str, escape: str
) -> None:
    """In each path and query, in fields of forms and in JSON, from an administrator."""
    bad = []
    with School(tmp_path, database=postgres.fresh()) as school:
        school.staff()
        with school.as_person("ann") as ann:
            token = ann.cookies["csrftoken"]
            fields = [*QUERIES, "name", "password", "role", "rooms", "words", "code", "note"]
            form = urlencode(dict.fromkeys(fields, "@") | {"csrftoken": token})
            form = form.replace("%40", escape)
            content = json.dumps(dict.fromkeys(fields, odd))
            plain = {"content-type": "application/json"}
            kinds = {"content-type": "application/x-www-form-urlencoded"}
            for context in iter_route_contexts(school.service.app.routes):
                path = str(context.path)
                if path.endswith("/live") or path == "/healthz":  # a feed; and there is no broker
                    continue
                query = urlencode(dict.fromkeys(QUERIES, "@")).replace("%40", escape)
                for value in (escape, "1"):
                    place = re.sub(r"{[^}]*}", value, path)
                    for method in sorted(context.methods or ()):
                        if method == "GET":
                            tries = [ann.get(f"{place}?{query}")]
                        else:
                            tries = [
                                ann.request(method, place, content=form, headers=kinds),
                                ann.request(
                                    method,
                                    place,
                                    content=content,
                                    headers=plain,
                                ),
                            ]
                        bad += [
                            f"{method} {place}: {one.status_code}"
                            for one in tries
                            if one.status_code >= 500
                        ]
    assert bad == []


@pytest.mark.parametrize("odd", ["a\0b", "a\ud800b"])
def test_what_comes_by_other_ways_is_stored_without_it(
    tmp_path: Path, postgres: Postgres, odd: str
) -> None:
    """From a timetable, a calendar, a device, the settings, a command: it takes nothing with it."""
    with School(tmp_path, database=postgres.fresh()) as school:
        service, room = school.service, ("school", "r101")
        ann = service.accounts.add("ann", "administrator", password="correct horse battery")
        lesson = school.repository.begin(*room, f"Optics {odd}", "timetable", teacher=f"T {odd}")
        assert lesson is not None
        assert school.repository.lesson(lesson.id).title == "Optics a\ufffdb"
        school.repository.describe(lesson, odd, odd)
        school.repository.mark(lesson, odd)
        service.accounts.call(ann, odd)
        service.accounts.confirm(ann, odd)
        assert service.accounts.by_subject(odd) is None
        assert service.accounts.verify(odd, odd) is None
        service.sessions.make_token(ann.id, odd, ["read"], 60)
        service.sessions.make_link(odd, 60, room, account=ann.id)
        service.audit.add(odd, "sign-in", odd)
        assert service.audit.newest(1)[0].about.isprintable()
        assert list(service.audit.wrong()) == []
