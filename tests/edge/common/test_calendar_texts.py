"""What stands below an event's title, or in properties of a program's own, and calls it off."""

from __future__ import annotations

import pytest

from tests.edge.common.test_calendar_notice import NINE, event, plan

LINES = [
    *("Vertretungsart: Entfall", "Vertretungstext: fällt aus", "Klasse: 7b<br>Status: Entfall"),
    *("Klasse: 7b\\; Status: Entfall", "<b>Entfall</b><br>Aufgaben in Moodle", "Annulé : oui"),
    *("This event has been canceled.", 'This event has been canceled with a note: "ill"'),
    *("Motif : Prof. absent", "Dieser Termin wurde abgesagt.", "Cet événement a été annulé."),
    *("Este evento se ha cancelado.", "Entfall\\, Aufgaben in Moodle", "Cancelled: yes"),
    *("Klasse: 7b | Art: Ausfall", "<p>Lehrer: X</p><p>Art: Entfall</p>", "Entfall: ja"),
    *("Entf&auml;llt", "Raum: R1\\nTyp: Cancelled"),
]
OWN = [
    "X-STATUS:CANCELLED",
    "X-UNTIS-CODE:cancelled",
    "X-CANCELLED:TRUE",
    "X-LESSON-STATE:entfällt",
]
OTHERS = [
    *("X-STATUS:CONFIRMED", "X-UNTIS-CODE:regular", "X-CANCELLED:FALSE", "X-CODE:7b"),
    *("DESCRIPTION:Cancelled: no", "DESCRIPTION:Annulé : non", "DESCRIPTION:Entfall: nein"),
    *("DESCRIPTION:Thema: Noise cancellation", "DESCRIPTION:Type: Lecture"),
    *("DESCRIPTION:Status: confirmed", "DESCRIPTION:Text: Der Ausfall der Technik im Krieg"),
    *("DESCRIPTION:Bring a pen\\; free choice", "X-ALT-DESC:<p>Read the text</p>"),
    *("DESCRIPTION:Hinweis: Buch mitbringen", "DESCRIPTION:Raum frei lassen"),
    *("DESCRIPTION:Reason: exam preparation", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"),
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", ["DESCRIPTION", "X-ALT-DESC;FMTTYPE=text/html"])
def test_a_line_below_the_title_calls_its_lesson_off(name: str, line: str) -> None:
    assert plan(event("Maths", *NINE, f"{name}:{line}"))[0] == []


@pytest.mark.parametrize("line", OWN)
def test_a_property_of_a_program_s_own_does(line: str) -> None:
    assert plan(event("Maths", *NINE, line))[0] == []


@pytest.mark.parametrize("line", OTHERS)
def test_what_says_something_else_leaves_the_lesson(line: str) -> None:
    assert plan(event("Maths", *NINE, line))[0] == ["Maths"]
