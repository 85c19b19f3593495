"""Events that stand beside a lesson and call it off; whatever else is there goes on."""

from __future__ import annotations

import itertools
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from edge.common.calendar import Calendar

MONDAY = date(2026, 3, 2)
NINE = ("DTSTART:20260302T091500", "DTEND:20260302T100000")
ELEVEN = ("DTSTART:20260302T111500", "DTEND:20260302T120000")
WHOLE = ("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303")
EVERY_WEEK = ("DTSTART:20260223T091500", "DTEND:20260223T100000", "RRULE:FREQ=WEEKLY")


def event(title: str, *lines: str, place: str = "", uid: str = "") -> str:
    where = [f"LOCATION:{place}"] if place else []
    own = [f"UID:{uid or title}", f"SUMMARY:{title}", *where, *lines]
    return "\r\n".join(["BEGIN:VEVENT", *own, "END:VEVENT", ""])


def plan(*events: str) -> tuple[list[str], dict[str, str]]:
    """Titles that take place on Monday, and why others do not."""
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(events)}END:VCALENDAR\r\n"
    calendar = Calendar(text.encode(), ZoneInfo("Europe/Berlin"), "t.ics")
    reasons = {one.event: one.why for one in calendar.ignored_on(MONDAY)}
    return [str(one.event.get("SUMMARY")) for one in calendar.on(MONDAY)], reasons


TITLES = [
    *(
        "Mathe entfällt",
        "Entfällt: Mathe",
        "Mathe 7b (Meier) fällt aus",
        "Ausfall Mathe",
        "entfällt",
    ),
    *(
        "Mathe abgesagt wegen Krankheit",
        "Cancelled: Mathe",
        "Cours annulé - Mathe",
        "Kein Unterricht",
    ),
    *("Mathe fällt aus (Lehrer krank)", "Mathe entfällt, Frau Müller krank", "Mathematik: annulé"),
    *("Kein Mathe", "Heute kein Mathe", "Mathe verlegt", "Prof. absent Mathe", "Se cancela mathe"),
    *("Pas de mathe aujourd'hui", "Mathe is moved", "No mathe today", "Sin mathe"),
    *("Der Matheunterricht entfällt", "Entfall: Mathe bei Hr. Schmidt", "No lesson: Mr Smith ill"),
]


PLACES = ["", "R101", "Raum 101", "R101 (Physik)"]
OTHERS = ["", "R 101", "Online", "Gymnasium am See, Schulstr. 1, 12345 Berlin", "alle Räume"]


@pytest.mark.parametrize("lesson", [NINE, EVERY_WEEK], ids=["once", "weekly"])
@pytest.mark.parametrize("when", [NINE, WHOLE, EVERY_WEEK], ids=["once", "day", "weekly"])
@pytest.mark.parametrize("title", TITLES)
def test_a_notice_calls_off_what_it_names(
    lesson: tuple[str, ...], when: tuple[str, ...], title: str
) -> None:
    for place, other in itertools.product(PLACES, OTHERS):
        maths = event("Mathe 7b", *lesson, place=place)
        left, reasons = plan(maths, event(title, *when, place=other))
        assert left == [], (place, other)
        assert reasons["Mathe 7b (2026-03-02)"] == f"called off by {title}"


@pytest.mark.parametrize(
    "notice",
    [
        event("Mathe entfällt", *ELEVEN),
        event("Mathe entfällt", *NINE, place="R102"),
        event("Physik entfällt", *NINE),
        event("Physik entfällt", *WHOLE),
        event("Mathe", *NINE, "STATUS:CANCELLED", uid="moved"),
        event("Cancelled: Mathe", *NINE, "STATUS:CANCELLED", uid="moved"),
        event("Ferien", *NINE),
        event("Deutsch entfällt 7b", *NINE),
        event("Mathe entfällt nicht", *ELEVEN),
        event("Mathe entfällt", "DTSTART:20260302T080000", "DTEND:20260302T091500"),
        event("Mathe entfällt", "DTSTART:20260309T091500", "DTEND:20260309T100000"),
        event("Mathe entfällt", "SEQUENCE:1"),
    ],
)
def test_what_is_no_notice_of_a_lesson_leaves_it(notice: str) -> None:
    assert "Mathe" in plan(event("Mathe", *NINE, place="R101", uid="m"), notice)[0]


def test_a_substitute_in_the_same_room_takes_place() -> None:
    lessons = [event("Mathe", *NINE, place="R101"), event("Deutsch", *NINE, place="R101")]
    assert plan(*lessons, event("Mathe entfällt", *NINE, place="R101"))[0] == ["Deutsch"]


DAYS_OFF = [
    *(
        "Schulfrei",
        "Schulfrei (Studientag)",
        "Schulfrei - Wandertag",
        "Schulfrei (Mathe-Olympiade)",
    ),
    *(
        "Hitzefrei",
        "No school",
        "School closed",
        "Schule geschlossen",
        "École fermée",
        "No classes",
    ),
    *(
        "Kein Unterricht",
        "Sportfest: kein Unterricht",
        "Heute kein Unterricht",
        "Classes cancelled",
    ),
    *("All lessons cancelled", "Alle Stunden entfallen", "Cours suspendus", "No hay clases"),
    *("Schulfreier Tag", "Unterrichtsfrei (Kollegiumsausflug)", "Kein Unterricht: Kollegium"),
]
SPANS = {
    "day": WHOLE,
    "no end": WHOLE[:1],
    "end at its start": (WHOLE[0], WHOLE[0].replace("DTSTART", "DTEND")),
    "hours": ("DTSTART:20260302T080000", "DTEND:20260302T160000"),
    "Outlook": (
        *("DTSTART:20260302T000000", "DTEND:20260303T000000"),
        "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
    ),
}


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS.keys())
@pytest.mark.parametrize("title", DAYS_OFF)
def test_a_day_off_is_one_for_all(title: str, span: tuple[str, ...]) -> None:
    lessons = [
        event("Mathe", *NINE, place="R101"),
        event("Deutsch", *ELEVEN, place="R102"),
        event("", *ELEVEN, place="R205", uid="untitled"),
        event("Wandern", *ELEVEN),
    ]
    for place in ("", "Schule", "Haus A", "Hauptstr. 12"):
        assert plan(*lessons, event(title, *span, place=place))[0] == []


HOLIDAYS = [
    *("Ferien", "Herbstferien", "Feiertag", "Bank holiday", "Half term", "INSET day", "Festivo"),
    *("Vacances de la Toussaint", "Vacaciones de Navidad", "Jour férié", "Ferien (Bayern)"),
]


@pytest.mark.parametrize("span", ["day", "no end", "Outlook"])
@pytest.mark.parametrize("title", HOLIDAYS)
def test_a_holiday_over_whole_days_is_a_day_off(title: str, span: str) -> None:
    lessons = [event("Mathe", *EVERY_WEEK, place="R101"), event("Deutsch", *ELEVEN, place="R102")]
    assert plan(*lessons, event(title, *SPANS[span], "TRANSP:TRANSPARENT"))[0] == []
    off = event(title, *SPANS[span], "STATUS:CANCELLED")
    assert plan(*lessons, off)[0] == ["Mathe", "Deutsch"]
    assert plan(*lessons, event(title, *ELEVEN, place="R103"))[0] == ["Mathe", "Deutsch", title]


@pytest.mark.parametrize("title", ["Ferienfahrt", "Holiday homework due", "La fiesta de la clase"])
def test_what_holds_a_word_for_holidays_is_none(title: str) -> None:
    assert plan(event("Mathe", *NINE), event(title, *WHOLE))[0] == ["Mathe"]


FAULTS = [
    "DTEND:late",
    "DTEND;VALUE=DATE:20260303",
    "DURATION:x",
    "DTEND:20260301T080000",
    "RRULE:x",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_notice_with_a_fault_calls_off_until_its_day_ends(fault: str) -> None:
    lessons = [
        *(
            event("Mathe", *NINE),
            event("Mathe früh", *(x.replace("T09", "T07").replace("T10", "T08") for x in NINE)),
        ),
        event("Deutsch", *ELEVEN),
    ]
    left, reasons = plan(*lessons, event("Mathe entfällt", "DTSTART:20260302T090000", fault))
    assert left == ["Mathe früh", "Deutsch"]
    assert reasons["Mathe (2026-03-02)"] == "called off by Mathe entfällt"
    assert plan(*lessons, event("Kein Unterricht", "DTSTART:20260302T090000", fault))[0] == [
        "Mathe früh"
    ]


@pytest.mark.parametrize(
    "title", ["1. Stunde entfällt", "Ausfall 1./2. Stunde", "Period 2 cancelled"]
)
def test_which_lesson_of_the_day_it_is_its_time_says(title: str) -> None:
    lessons = [event("Mathe", *NINE, place="R101"), event("Deutsch", *ELEVEN, place="R101")]
    assert plan(*lessons, event(title, *NINE))[0] == ["Deutsch"]


@pytest.mark.parametrize("title", ["Deutsch statt Mathe", "German instead of Mathe"])
def test_what_a_lesson_replaces_is_not_what_it_is(title: str) -> None:
    lessons = [event("Mathe", *NINE), event(title, *NINE)]
    assert plan(*lessons, event("Mathe entfällt", *NINE))[0] == [title]


def test_a_notice_of_one_class_says_so_of_that_class_alone() -> None:
    lessons = [event("Mathe", *NINE, place="R101"), event("Deutsch", *ELEVEN, place="R102")]
    assert plan(*lessons, event("Deutsch: kein Unterricht", *WHOLE))[0] == ["Mathe"]
    assert plan(*lessons, event("Schulfrei", *WHOLE, place="R101"))[0] == ["Deutsch"]


@pytest.mark.parametrize(
    "title",
    ["M. Dupont absent", "Mme Martin absente", "Meeting cancelled", "Termin abgesagt", "Cancelled"],
)
def test_what_may_be_about_anything_does_not_empty_a_school(title: str) -> None:
    lessons = [event("Mathe", *NINE, place="R101"), event("Deutsch Dupont", *ELEVEN, place="R102")]
    left, _ = plan(*lessons, event(title, *WHOLE))
    assert left == (["Mathe"] if "Dupont" in title else ["Mathe", "Deutsch Dupont"])


FITS = [
    *(("PE 7b", "PE cancelled"), ("IT 8", "IT entfällt"), ("Mathe 7b", "7b entfällt")),
    *(("Mathe 7b", "R101 entfällt"), ("Mathematik 7b", "Matheunterricht entfällt")),
    *(("Mathe 7b", "Klasse 7b entfällt"), ("Cours de maths", "Cours de maths annulé")),
]


@pytest.mark.parametrize(("lesson", "title"), FITS)
def test_in_a_school_s_calendar_it_takes_the_lesson_that_fits_best_alone(
    lesson: str, title: str
) -> None:
    others = [
        *(
            event("Cours d'anglais", *NINE, place="R102"),
            event("Art and Design", *NINE, place="R103"),
        ),
        *(event("Deutsch 8c", *NINE, place="R104"), event("Sport 9a", *NINE, place="R105")),
    ]
    own = event(lesson, *NINE, place="R101", uid="own")
    assert lesson not in plan(*others, own, event(title, *NINE, place="R101"))[0]
    left = plan(*others, own, event(title, *NINE, place="R101", uid="notice"))[0]
    assert len(left) == len(others)


NOT_HERE = [
    *("Clase de matemáticas cancelada", "Cours de français annulé", "Drama and Music cancelled"),
    *("Mathe 8c entfällt", "Deutsch 7b entfällt", "Chor AG 9a - kein Unterricht", "9b entfällt"),
    *(
        "No classes for Year 10",
        "Pas de cours de latin",
        "No school tomorrow",
        "Morgen kein Unterricht",
    ),
    *("Reminder: no school on Friday", "Schulfrei (nur Klasse 9b)", "Meeting cancelled"),
]


@pytest.mark.parametrize("span", [NINE, WHOLE], ids=["hour", "day"])
@pytest.mark.parametrize("title", NOT_HERE)
def test_what_speaks_of_others_leaves_the_lessons(title: str, span: tuple[str, ...]) -> None:
    lessons = [
        event("Mathe 7b", *NINE, place="R101"),
        event("Cours d'anglais", *NINE, place="R102"),
    ]
    assert plan(*lessons, event(title, *span))[0] == ["Mathe 7b", "Cours d'anglais"]


def test_a_changed_occurrence_speaks_of_its_own_series_alone() -> None:
    change = event("Mathe entfällt", *NINE, "RECURRENCE-ID:20260302T091500", uid="7a")
    series = [event("Mathe", *EVERY_WEEK, uid=uid) for uid in ("7a", "7b")]
    assert plan(*series, change)[0] == ["Mathe"]
