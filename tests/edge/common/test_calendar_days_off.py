"""Days without lessons by the names and the marks that calendars give them, for all or a class."""

from __future__ import annotations

import pytest

from tests.edge.common.test_calendar_notice import EVERY_WEEK, NINE, WHOLE, event, plan
from tests.edge.common.test_calendar_words import BOTH, DAY, OTHER, SEVERAL, is_off

HOLIDAYS = [
    *("Christi Himmelfahrt", "Fronleichnam", "Allerheiligen", "1. Mai", "Tag der Arbeit"),
    *("1. Weihnachten", "Weihnachten (BY, BW)", "Heiligabend", "Silvester", "Pfingsten", "Ostern"),
    *("Reformationstag", "Buß- und Bettag", "Mariä Himmelfahrt", "Heilige Drei Könige", "Auffahrt"),
    *("Tag nach Christi Himmelfahrt", "Nationalfeiertag", "Berchtoldstag", "Stephanstag"),
    *("Easter", "Boxing Day", "New Year's Day", "New Year’s Eve", "Memorial Day", "Veterans Day"),
    *("MLK Day", "Martin Luther King, Jr. Day", "Presidents' Day", "Juneteenth", "4th of July"),
    *("Independence Day (observed)", "Day after Thanksgiving", "St. Patrick's Day", "Whit Monday"),
    *("Noël", "Ascension", "Pentecôte", "14 juillet", "11 novembre", "Fête du Travail", "8 mai"),
    *("Fête nationale", "21 juillet", "Armistice 1918", "Saint-Étienne", "Lendemain de Noël"),
    *("Navidad", "Reyes", "Día de la Hispanidad", "Fiesta local", "Feriado", "1º de mayo"),
    *("Día del Trabajador", "Día de Andalucía", "Fiestas Patrias", "Asueto", "Día festivo"),
    *("Wandertag", "Betriebsausflug", "SCHILF-Tag", "Konferenztag", "Student-free day"),
    *("Teacher Work Day", "In-service day", "Baker day", "Journée banalisée", "Grève", "Streik"),
    *("Grève des enseignants", "Distanzunterricht", "E-learning day", "Remote learning day"),
]
NO_HOLIDAYS = [
    *("Christmas jumper day", "Weihnachtsfeier", "Ostern basteln", "Easter bonnet parade"),
    *("Christmas concert", "Easter service", "Marché de Noël", "Fiesta de Navidad", "Halloween"),
    *("Weihnachten im Schuhkarton", "Valentinstag", "Muttertag", "Projekttag Wasser", "Zeugnisse"),
    *("World Book Day", "Tag der offenen Tür", "Picture day", "Exam week", "Bahnstreik"),
    *("Remote learning platform training", "Day before Thanksgiving", "Letzter Tag vor Ostern"),
    *("Ferienkurs Anmeldung", "Día del libro", "Conseil de classe", "Noël des enfants"),
]
MARKS = [
    *(
        "CATEGORIES:Feiertag",
        "CATEGORIES:Holiday",
        "CATEGORIES:Rot,Jour férié",
        "CATEGORIES:Ferien",
    ),
    *("DESCRIPTION:Public holiday", "DESCRIPTION:Gesetzlicher Feiertag in Bayern"),
    *("DESCRIPTION:Día festivo", "DESCRIPTION:Jour férié\\nwww.school.example"),
]


@pytest.mark.parametrize("title", HOLIDAYS)
def test_a_holiday_by_its_name_takes_a_whole_day(title: str) -> None:
    for when in DAY:
        for others in SEVERAL:
            assert is_off("Maths", title, when, others)


@pytest.mark.parametrize("title", [one for one in HOLIDAYS if one != "Wandertag"])
def test_at_an_hour_it_is_what_the_lesson_is_about(title: str) -> None:
    assert plan(event(title, *NINE, place="R101"))[0] == [title]


@pytest.mark.parametrize("title", NO_HOLIDAYS)
def test_what_a_school_does_around_a_holiday_is_none(title: str) -> None:
    assert not is_off("Maths", title, WHOLE, OTHER)


@pytest.mark.parametrize("mark", MARKS)
def test_the_mark_of_holiday_calendars_counts_for_whole_days(mark: str) -> None:
    lesson = event("Maths", *EVERY_WEEK, place="R101")
    for others in SEVERAL:
        assert "Maths" not in plan(lesson, others, event("St. Nobody", *WHOLE, mark))[0]
    assert plan(event("Maths", *NINE, mark))[0] == ["Maths"]
    assert "Maths" in plan(lesson, event("Last day before it", *WHOLE, mark), OTHER)[0]


OF_A_CLASS = [
    *("7b kein Unterricht", "Kein Unterricht für 7b", "Kein Unterricht 7b", "7b: kein Unterricht"),
    *("Klasse 7 schulfrei", "Jahrgang 7 kein Unterricht", "Kein Unterricht (Klasse 7)"),
    *("7a/7b kein Unterricht", "Kein Unterricht für die Klassen 7a und 7b", "Klasse 7 hat frei"),
    *("Klassen 5-8 schulfrei", "Year 7: no lessons", "No school for Y7", "Ausfall Klasse 7"),
    *("Keine Schule für Klasse 7", "Jgst. 7 kein Unterricht", "No hay clase para 7b"),
    *("7b fällt aus", "Klassenfahrt 7b", "Klassenfahrt der 7b", "Wandertag Klassen 5-8"),
]


@pytest.mark.parametrize("title", OF_A_CLASS)
def test_a_class_without_lessons_is_named_before_or_after(title: str) -> None:
    for others in SEVERAL:
        for when in BOTH if "Wandertag" not in title else DAY:
            assert is_off("Mathe 7b", title, when, others)
    for other in ("Mathe 9c", "Mathe"):
        assert not is_off(other, title, WHOLE, OTHER)


def test_in_french_a_class_has_its_number_first() -> None:
    assert is_off("Maths 6e", "Pas de cours pour la 6e", WHOLE, OTHER)
    assert not is_off("Maths 5e", "Pas de cours pour la 6e", WHOLE, OTHER)
