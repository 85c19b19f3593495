"""Titles and texts of ordinary lessons, near to words that call one off: none of them does."""

from __future__ import annotations

import pytest

from tests.edge.common.test_calendar_notice import NINE, WHOLE, event, plan
from tests.edge.common.test_calendar_words import OTHER, is_off

LESSONS = [
    *("Mathe", "Deutsch LK 12", "Q1 Geschichte", "Physik 10b", "7b", "Klasse 7"),
    *("Klassenstunde 7b", "Klasse 7b Deutsch", "Klassenleiterstunde", "Jahrgang 7 Sport"),
    *("Year 7 Maths", "Y7 Art", "6e Maths", "2º ESO Mates", "Gruppe 2 Chemie", "Kurs 3"),
    *("Stufe 2", "Groupe A", "Arbeitsgemeinschaft", "AG Robotik", "Förderunterricht 5a"),
    *("Förderunterricht für 5a", "Unterricht für 7b", "Kurs für 7b", "Lernzeit", "Freiarbeit"),
    *("Freiarbeit 5a", "Free reading 7b", "Silent reading", "Ethik/Religion", "Sport (Jungen)"),
    *("WPU Technik", "Chor", "Orchester", "Prüfung Mathe", "Exam: Maths", "Examen final"),
    *("Contrôle de maths", "Klausur Deutsch (7b)", "Vertretung: Mathe"),
    *("Vertretung Mathe (Meier)", "Maths (cover)", "Substitute: Maths", "Maths with Ms Noel"),
    *("Herr Ostern: Mathe", "M. Pont : Histoire", "Reyes: Mates", "San Martín: Historia"),
    *("Maths - Mr May", "Grève (Zola)", "Carnaval des animaux", "La huelga: historia"),
    *("Strike a chord", "Christmas carols", "Easter Island", "Labor relations"),
    *("Feriado e historia", "Streikrecht", "Der Wandertag (Aufsatz)", "Erlebnis Wandertag"),
    *("Excursions in logic", "Field trips in geology: theory", "Online marketing"),
    *("Krankenpflege", "Medizin: Der kranke Mensch", "Ill-posed problems"),
    *("Sick building syndrome", "Sicherheit", "Note: C major", "Text: Faust", "Typ: Novelle"),
    *("Status quo", "Art: Kunst", "Moved by Bach", "Room design", "Raumlehre"),
    *("Cambio climático", "Aulas del futuro", "Informatik: Switch → Router"),
    *("A → B Reaktionen", "Nicht heute morgen!", "Was nicht held?", "Called offside: sport"),
    *("Deferred payments", "Scrap metal", "Held in trust", "Mathe 1. Halbjahr"),
    *("Sozialpraktikum Auswertung", "Eva Braun: Geschichte", "Text: EVA und ADAM"),
    *("Hat der Mensch Freiheit?"),
]
TEXTS = [
    *("LOCATION:R101\\, Online", "LOCATION:Online", "CATEGORIES:Online"),
    *("CATEGORIES:Klasse 7b", "DESCRIPTION:Klasse 7b\\nFrei: keine"),
    *("DESCRIPTION:Art: Unterricht", "DESCRIPTION:Info: Raum 101 ist frei"),
    *("DESCRIPTION:Text: Kapitel 3 entfällt nicht"),
    *("DESCRIPTION:Hausaufgaben: S. 12\\, Aufgabe 3 entfällt"),
    *("DESCRIPTION:Vertretung: Herr Meier", "DESCRIPTION:Note: Test next week"),
    *("DESCRIPTION:Substitution: Mr X", "DESCRIPTION:Grund: Krankheit Meier"),
    *("DESCRIPTION:Status: Vertretung", "DESCRIPTION:Zoom: https://x.zoom.us/j/1"),
    *("DESCRIPTION:<p>Art: Klausur</p>", "DESCRIPTION:Canceled quiz 3", "X-ZOOM-STATUS:active"),
    *("X-GOOGLE-CONFERENCE:https://meet.google.com/abc", "X-MS-OLK-FORCEINSPECTOROPEN:TRUE"),
    *("X-MICROSOFT-CDO-APPT-SEQUENCE:1", "X-MOZ-LASTACK:2026"),
    *("X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC"),
    *("DESCRIPTION:Reminder: no school on Friday"),
]
DAYS = [
    *("Schulfest", "Sportfest", "Bundesjugendspiele", "Klasse 7 Elternabend"),
    *("Abgabe Facharbeit", "Theatertage", "Tag der Mathematik", "Mock exams", "Reading week"),
    *("Semaine du goût", "Día de la paz", "Zeugniskonferenz 7b", "Pont du Gard"),
    *("Streik in der Literatur"),
]


@pytest.mark.parametrize("title", LESSONS)
def test_an_ordinary_lesson_is_held(title: str) -> None:
    assert plan(event(title, *NINE, place="R101"))[0] == [title]


@pytest.mark.parametrize("line", TEXTS)
def test_what_stands_beside_a_title_leaves_its_lesson(line: str) -> None:
    assert plan(event("Maths", *NINE, line))[0] == ["Maths"]


@pytest.mark.parametrize("title", DAYS)
def test_what_a_school_writes_over_a_day_takes_no_lesson(title: str) -> None:
    assert not is_off("Maths", title, WHOLE, OTHER)
