"""Short forms, signs and broken letters by which a title calls itself off, and what is held."""

from __future__ import annotations

import pytest

from edge.common.cancellation import calls_off
from tests.edge.common.test_calendar_notice import EVERY_WEEK, NINE, event, plan

OFF = [
    *("EVA", "Mathe (EVA)", "Mathe EVA", "EVA: Mathe", "Storno", "Mathe STORNO", "Mathe ausf."),
    *("Mathe abgs.", "Mathe f. a.", "Mathe f.a.", "Mathe nicht heute", "Mathe heute nicht"),
    *("Maths deferred", "Maths (deferred)", "Maths scrapped", "Maths will not be held"),
    *("Maths not held", "Maths called-off", "Maths moved online", "Maths isn't happening"),
    *("Mathe → R205", "Mathe -> R205", "Mathe in R205 statt R101", "Mathe: Raumänderung"),
    *("Mates trasladada", "Pas cours", "Mathe (krank)", "Mathe erkrankt", "Mathe (Klassenfahrt)"),
    *("🛑 Mathe", "Mathe ✗", "✘ Mathe", "❎ Mathe", "🏠 Mathe", "<s>Mathe</s>", "<del>Mathe</del>"),
    *("Mathe entf?llt", "Mathe entf\ufffdllt", "Mathe f\ufffdllt aus", "Annul\ufffd : Maths"),
    *("Klassenfahrt", "Klassenfahrt nach Berlin 7b", "Exkursion", "Cet événement est annulé"),
]
HELD = [
    *("Deutsch entfällt, dafür Mathe", "Mathe statt Deutsch (Deutsch entfällt)"),
    *("Maths (rescheduled from Mon)", "Maths moved from Monday", "Mathe (verlegt von Mo)"),
    *("Eva und Adam", "Deutsch Eva Müller", "Mathe (Eva)", "Krankheiten", "Bio: Krank sein"),
    *("Was fällt?", "House music 🎵", "HTML: <s> und <b>", "Storno-Buchungen BWL"),
    *("Deferred action", "Scrapped metal art", "Online safety", "Informatik: Online-Recht"),
    *("Physics -> Maths", "Chemie: A → B", "Zahlen 1 → 100", "No Country for Old Men"),
    *("No Man's Land", "Musik in R101 statt R205", "Mathe → Raum 101", "Hat Freiheit Grenzen?"),
    *("Entfallen die Steuern, dafür Schulden", "Der Nichtheld", "The exhibition not held back"),
]
AWAY = [
    *("Deutsch entfällt, dafür Museum", "Deutsch entfällt, dafür Aufgaben in Moodle"),
    *("Mathe entfällt, stattdessen Wandertag", "Mathe entfällt, dafür frei"),
    "Mathe statt Deutsch (Mathe entfällt)",
]


@pytest.mark.parametrize("title", OFF + AWAY)
def test_a_title_calls_itself_off(title: str) -> None:
    assert calls_off(title)
    assert plan(event(title, *NINE, place="R101"))[0] == []


@pytest.mark.parametrize("title", HELD)
def test_a_title_of_what_is_held_is_a_lesson_s(title: str) -> None:
    assert plan(event(title, *NINE, place="R101"))[0] == [title]


def test_a_lesson_that_moved_is_held_where_it_is_by_now() -> None:
    there, here = (event("Mathe → R205", *NINE, place=place) for place in ("R205", "R101"))
    assert plan(there)[0] == ["Mathe → R205"]
    assert plan(here)[0] == []
    weekly = event("Mathe", *EVERY_WEEK, place="R101", uid="own")
    assert plan(weekly, here)[0] == []
