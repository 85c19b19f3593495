"""Sentences by which schools call lessons off, as outsiders wrote them; beside a weekly series."""

from __future__ import annotations

import pytest

from tests.edge.common.test_calendar_notice import EVERY_WEEK, NINE, WHOLE, event, plan

OTHER = event("Chemistry", *NINE, place="R205")
HOURS, DAY = [NINE], [WHOLE, (*WHOLE, "TRANSP:TRANSPARENT")]
BOTH = [NINE, WHOLE]
ONE, SEVERAL = [""], ["", OTHER]
"""What else the calendar has: nothing, so that it is the room's, or lessons of other rooms."""


def is_off(lesson: str, title: str, when: tuple[str, ...], others: str) -> bool:
    own = event(lesson, *EVERY_WEEK, place="R101", uid="own")
    left = plan(own, others, event(title, *when, uid="notice"))[0]
    assert title not in left
    return lesson not in left


BY_LESSON = {  # what each takes with it, whatever other rooms there are
    "Maths": [
        *("Maths cancelled on Monday", "School closed Monday 2 March", "École fermée ce lundi"),
        *("Schulfrei am Montag", "School closed from 14:00", "School closed from 9:00"),
        *("Schulfrei am 2. März", "Schulfrei 2.3.", "No school (2 March)", "No school 2026"),
        *("No school - 2 staff ill", "Hitzefrei ab 11:30", "Schulfrei ab 9 Uhr"),
        *("Schulfrei wegen 50 cm Schnee",),
    ],
    "Mathe": [
        *("Mathe entfällt am Montag", "Mathe entfällt heute Morgen"),
        *("Mathe verschoben auf Freitag", "Mathe auf Freitag verschoben"),
        *("Cours de Mathe reporté à vendredi", "Mathe cancelled, see you next Friday"),
        *("Mathe postponed to Friday", "Mathe moved to Friday"),
    ],
    "Mates": ["Mates cancelada esta mañana"],
}
GENERAL = [
    *("Pas de cours ce lundi", "No hay clase el lunes", "Heute Morgen kein Unterricht"),
    *("No hay clase esta mañana", "Clase de la mañana cancelada"),
]


@pytest.mark.parametrize(("lesson", "title"), [(k, t) for k, ts in BY_LESSON.items() for t in ts])
def test_a_day_or_time_of_its_own_makes_it_no_other_day_s(lesson: str, title: str) -> None:
    for when in BOTH:
        for others in SEVERAL:
            assert is_off(lesson, title, when, others)


@pytest.mark.parametrize("title", GENERAL)
def test_in_a_room_s_own_calendar_it_need_not_say_what_is_off(title: str) -> None:
    for when in BOTH:
        assert is_off("Maths", title, when, "")


HOLIDAYS = [
    *("Winterferien 2026", "Osterferien Berlin 2026", "Weihnachtsferien NRW", "Ferien 2026"),
    *("Christmas holidays 2026", "School holidays 2026", "October half term", "Half term week"),
    *("Early May bank holiday", "Bank Holiday Monday", "Staff Inset Day", "INSET Day 1"),
    *("Vacances scolaires zone B", "Beweglicher Ferientag", "Letzter Ferientag", "Feiertag Berlin"),
    *("Gesetzlicher Feiertag", "Ferien/Holidays", "Ferien und Feiertage", "🎄 Weihnachtsferien"),
    *("Schools closed", "College closed", "Lycée fermé", "Campus closed", "Kein Schulbetrieb"),
    *("Thanksgiving Break", "Winter Recess", "Día no lectivo", "Congé scolaire", "Brückentag"),
    *("Studientag", "Pädagogischer Tag", "Ferien ☀️", "Easter Monday", "Christmas Day"),
    *("Labor Day", "PD Day", "Teacher Workday", "Tag der Deutschen Einheit", "Schulschließung"),
    *("Toussaint", "Lundi de Pâques", "Férié", "Journée pédagogique", "Semana Santa"),
    *("Inset day - school closed to pupils",),
]


@pytest.mark.parametrize("title", HOLIDAYS)
def test_a_holiday_as_publishers_write_it(title: str) -> None:
    for when in DAY:
        for others in SEVERAL:
            assert is_off("Maths", title, when, others)


@pytest.mark.parametrize("title", ["Herbstferien", "Bank holiday", "Vacances", "Festivo"])
@pytest.mark.parametrize("end", ["0303T000000", "0302T235959", "0307T000000", "0302T180000"])
def test_a_holiday_by_the_clock_is_one_and_opens_nothing_itself(title: str, end: str) -> None:
    begin = "080000" if "18" in end else "000000"
    when = (f"DTSTART:20260302T{begin}", f"DTEND:2026{end}")
    assert is_off("Maths", title, when, OTHER)
    assert plan(event(title, *when, place="R101"))[0] == []


OWN = [
    *("Mathe findet heute nicht statt", "Mathe findet nicht mehr statt", "Mathe fällt weg"),
    *("Mathe findet am Montag nicht statt", "Mathe muss leider ausfallen", "CANCELLED MATHS"),
    *("Mathe wird nicht stattfinden", "Mathe muss abgesagt werden", "ABGESAGT MATHE"),
    *("Mathe fällt aufgrund der Konferenz heute aus", "CANCELADO MATES", "MATHS CANCELLED"),
    *("cancelled maths", "Maths/cancelled", "Cancel: Maths", "Cxl: Maths", "Canc. Maths"),
    *("Entf. Maths", "Absage Mathe", "Mathe-Ausfall", "Suspended: Maths", "Maths suspended"),
    *("Suspendu: Maths", "Maths will be cancelled", "Maths cannot take place", "Mathe gecancelt"),
    *("Annulation du cours de maths", "Cours non assuré", "Mates no tendrá lugar"),
    *("No habrá clase", "Mathe verlegt auf Freitag", "Maths moved to Friday", "Rescheduled: Maths"),
    *("Maths reporté à vendredi", "Maths déplacé au vendredi", "Teacher absent: Maths"),
    *("Maths (absence du professeur)", "Absence de M. Dupont", "Mathe: Lehrer krank"),
    *("Freistunde", "Raum gesperrt", "Room closed", "R101 gesperrt", "Mathe entf&auml;llt"),
    *("Mathe entfÃ¤llt", "Maths - enseignant absent", "Enseignant absent : Maths", "CANX Maths"),
    *("Maths (reporté au 12/03)", "Maths rescheduled to Friday", "Maths (moved to R205)"),
    *("Mathe verlegt nach R205", "Mathe (Verlegt auf 10:00)", "Verlegung: Mathe", "Maths CXLD"),
    *("Mathe - Frau Meier krank", "Removed: Maths", "Gelöscht: Mathe", "Mathe fällt flach"),
    *("Mathe (frei)", "~~Mathe~~", "M\u0336a\u0336t\u0336h\u0336e", "Room unavailable", "Closed"),
    *("Geschlossen", "Fermé", "Cerrado", "Frei", "Free", "Libre", "Out of order"),
]


@pytest.mark.parametrize("title", OWN)
def test_a_lesson_that_its_own_title_calls_off_opens_nothing(title: str) -> None:
    assert plan(event(title, *NINE, place="R101"))[0] == []


LESSONS = [
    *("Film: Casablanca", "Cancelled cheques and other fraud", "Abgesagte Konzerte", "Ferien"),
    *("Noise cancellation", "Das Ferienhaus", "Holiday vocabulary", "Physics 2", "Kunst am Montag"),
    *("Mathe morgen üben", "Suppression of fire", "Die Absage an die Gewalt", "Raum und Zeit"),
    *("Ausfall der Technik im Krieg", "The moving world", "Verlegte Leitungen", "Montag: Mathe"),
    *("Zimmer 101 (Orwell)", "Cancelling noise", "Singen", "Singing", "Norwegian", "Novels"),
    *("Nouns", "Notation", "Notenlehre", "Sinus", "Sinfonie", "Sintaxis", "Norwegian class"),
    *("Singen 7b", "Nordic walking", "Statistics", "Freihandzeichnen", "Free verse"),
]


@pytest.mark.parametrize("title", LESSONS)
def test_what_merely_holds_such_a_word_is_taught(title: str) -> None:
    assert plan(event(title, *NINE, place="R101"))[0] == [title]


@pytest.mark.parametrize(
    "title",
    [
        *("Raum 101 entfällt", "Raum R101: Entfall", "Unterricht in Raum 101 entfällt"),
        *("Salle R101 : cours annulé", "Room R101 lesson cancelled", "Aula R101: clase cancelada"),
        *("Kein Unterricht in R101", "No class in R101", "Pas de cours en R101"),
    ],
)
def test_a_notice_may_name_the_room_in_its_title(title: str) -> None:
    for others in SEVERAL:
        assert is_off("Maths", title, NINE, others)
    assert "Chemistry" in plan(OTHER, event(title, *NINE, uid="notice"))[0]


@pytest.mark.parametrize(
    ("title", "takes"),
    [
        *(("Year 7 Maths cancelled", True), ("Y7 Maths cancelled", True)),
        *(("Maths P1 cancelled", True), ("Maths 7 b entfällt", True), ("Entfall 7b, R101", True)),
        *(("Maths 7c entfällt", False), ("Maths 8a entfällt", False)),
    ],
)
def test_a_class_is_one_however_it_is_written(title: str, takes: bool) -> None:
    assert is_off("Maths 7b", title, NINE, OTHER) == takes


@pytest.mark.parametrize(
    "line",
    [
        *("DESCRIPTION:Art: Entfall", "DESCRIPTION:Hinweis: Entfällt wegen Krankheit"),
        *("DESCRIPTION:Note: cancelled due to illness", "DESCRIPTION:Mémo : cours annulé"),
        *("DESCRIPTION:<p>Status: <b>Cancelled</b></p>", "COMMENT:Cancelled"),
    ],
)
def test_other_texts_call_off_too(line: str) -> None:
    assert plan(event("Maths", *NINE, line))[0] == []


@pytest.mark.parametrize(
    "line",
    [
        *(f"CATEGORIES:{name}" for name in ("Nowak", "Nolte", "Norris", "Singh", "Noah")),
        *("LOCATION:Nordflügel", "LOCATION:R101\\, Nordbau", "GEO:", "PRIORITY:", "CREATED:"),
        *("LAST-MODIFIED:x", "DTSTAMP:", "PERCENT-COMPLETE:", "COMPLETED:", "STATUS:"),
    ],
)
def test_what_says_nothing_about_it_leaves_the_lesson(line: str) -> None:
    assert plan(event("Maths", *NINE, line))[0] == ["Maths"]


def test_a_zone_and_utc_at_once_are_a_fault() -> None:
    times = [
        f"{name};TZID=Europe/Berlin:20260302T0{hour}0000Z"
        for name, hour in (("DTSTART", 7), ("DTEND", 8))
    ]
    assert plan(event("Maths", *times))[0] == []
