"""A lesson that only its title calls off opens no camera and begins nowhere, in whichever file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.cli import collector
from edge.cli import agent
from edge.common.cancellation import TEXT_SAYS, calls_off

pytestmark = pytest.mark.once

WORDS = [
    *("cancelled", "canceled", "called off", "class cancelled", "postponed"),
    *("abgesagt", "entfällt", "entfaellt", "fällt aus", "fällt heute aus", "Ausfall", "Entfall"),
    *("annulé", "annulée", "annule", "supprimés", "cours annulé", "n’a pas lieu"),
    *("cancelado", "cancelada", "anulada", "suspendido", "clase suspendida", "no hay clase"),
]
FORMS = [
    *("{}: Maths", "{} : Maths", "{} - Maths", "{} – Maths", "[{}] Maths", "({}) Maths", "{}"),
    *("Maths ({})", "Maths [{}]", "Maths - {}", "Maths — {}", "Maths: {}", "5b | {} | Maths"),
    *("FW: {}: Maths", "*{}* Maths", "Maths ({} due to illness)", "{}! Maths"),
]
CASES: dict[str, Callable[[str], str]] = {
    "as written": str,
    "capitals": str.upper,
    "small letters": str.lower,
    "each word": str.title,
}
MATRIX = [form.format(case(word)) for word in WORDS for form in FORMS for case in CASES.values()]
OTHERS = [
    *("Maths cancelled", "Sport entfällt", "Sport fällt aus", "CANCELLED Maths", "ABGESAGT 5b"),
    *("Mathe entfällt wegen Krankheit", "Annulé\u202f: Maths", "Can\u00adceled: Maths"),
    *("Maths has been cancelled", "Canceled event: Maths", "Prof./pers. absent - MATHS"),
]
TITLES = sorted({*MATRIX[:: len(FORMS) + 2], *(form.format("Annulé") for form in FORMS), *OTHERS})
"""For the files: each word, each form, each case, not each with each."""

REMARKS = [
    *("Mathe entfällt (Meier krank)", "Maths cancelled (Mr Smith ill)"),
    *("Mates cancelada (profe enfermo)", "Mathe fällt aus [Meier]"),
    *("Mathe entfällt, bitte Aufgaben machen", "Mathe entfällt! Aufgaben in Moodle"),
    *("Mathe entfällt; Ersatz am Freitag", "Mathe entfällt bis Ostern"),
    *("Mathe entfällt heute (5. Std)", "Maths cancelled – back Monday"),
    *("Mathe (ENTFÄLLT, Meier krank)", "Mathe (Ausfall wg. Krankheit)"),
    *("Mathe ENTFÄLLT 7b", "MATHS Cours annulé M. DUPONT", "Mathe Ausfall"),
    *("Ausfall Mathe", "Entfall Mathe", "Mathe entf.", "entf.", "Maths-cancelled"),
    *('Maths "cancelled"', "Maths\u200bcancelled", "ent\u200bfällt: Mathe"),
    *("Histoire : annulé", "Lecture: cancelled", "Law: cancelled", "Analysis II: abgesagt"),
    *(
        "Maths 1ère : annulé",
        "Grammaire : supprimé",
        "Hitzefrei",
        "School closed",
        "Cours suspendu",
    ),
    *("Canceled Mathe", "Cancelled Maths 7b", "Annulé Maths", "Entfällt Mathe", "Cancelado Mates"),
    *("Maths (M. Dupont absent)", "M. Dupont absent", "Declined: Maths"),
    *("Abgelehnt: Mathe", "Refusé : Maths", "Verlegt: Mathe", "Cours déplacé", "Schulfrei"),
    *("❌ Maths", "Unterricht Mathe ist abgesagt", "Cours de maths annulé"),
    "Maths, cancelled",
]
"""With what people add: why, when, what to do instead."""

STAY = {
    *("Maths", "Cancelled cheques and other fraud", "The cancelled war: history", "Ausfallrisiko"),
    *(
        "Physics: noise cancellation",
        "Stromausfall",
        "Mathe entfällt nicht",
        "CANCELLED CHEQUES AND FRAUD",
    ),
    *("Maths (not cancelled)", "Mathe fällt nicht aus", "Why the war was cancelled", ""),
    *("La suspension des roues", "Non-cancelled terms", "Ausfallschritt: Sport", "Maths: 5b"),
    *("Entfällt nicht: Mathe", "Maths (no longer cancelled)", "Maths - formerly cancelled"),
    *("Maths, postponed from Friday", "Mathe (verschoben vom Freitag)"),
    *("Ausfall der Monarchie",),
    *("Der Ausfall von Strom", "Noise, heat, light", "Les absents", "Moved by music"),
    *("War, peace", "Refusal and consent", "Kunst, Musik"),
    *(
        "Abgesagte Konzerte",
        "Postponed Gratification",
        "Vorläufige Ergebnisse",
        "Canceled debts of Greece",
    ),
    *("Suspended solids", "Cancel culture: a debate", "Anulado el contrato: derecho", "Report"),
}

SPAN = "DTSTART:20260302T091500\r\nDTEND:20260302T100000\r\n"
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"


def event(title: str, uid: object, *lines: str, span: str = SPAN) -> str:
    own = "".join(f"{line}\r\n" for line in lines)
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\n{span}LOCATION:R1\r\nSUMMARY:{title}\r\n{own}END:VEVENT\r\n"
    )


def calendar(*events: str) -> str:
    return f"{HEAD}{''.join(events)}END:VCALENDAR\r\n"


def singles(titles: list[str]) -> str:
    return calendar(*(event(title, number) for number, title in enumerate(titles)))


def overrides(titles: list[str]) -> str:
    """Each the one occurrence of a daily series that is changed; by its time, or by its day."""
    parts = []
    for number, title in enumerate(titles):
        of = ("RECURRENCE-ID:20260302T091500", "RECURRENCE-ID;VALUE=DATE:20260302")[number % 2]
        parts.append(event("Daily", number, "RRULE:FREQ=DAILY;COUNT=1"))
        parts.append(event(title, number, of))
    return calendar(*parts)


def rows(titles: list[str]) -> str:
    cells = (title.replace('"', '""') for title in titles)
    lines = (f'2026-03-02;9:15;10:00;R1;"{title}"\r\n' for title in cells)
    return "day;start;end;room;title\r\n" + "".join(lines)


def plan(folder: Path, name: str, content: str) -> tuple[list[str], list[dict[str, str]]]:
    """The lessons of the collector, those the agent opens for, and what both leave out."""
    path = folder / name
    path.write_text(content, newline="")
    school = {"timezone": "Europe/Berlin", "timetable": str(path)}
    settings = {"database": f"sqlite:///{folder}/c.sqlite", "state": "c", "school": school}
    ours = run(folder, collector, "timetable", settings)
    if name.endswith(".ics"):
        schedule = {"timezone": "Europe/Berlin", "calendar": str(path)}
        theirs = run(
            folder,
            agent,
            "schedule",
            {"site": "s", "room": "r", "state": "a"} | {"schedule": schedule},
        )
        assert bool(theirs["open"]) == bool(ours["lessons"])
        assert theirs["ignored"] == ours["ignored"]
    return [one["title"] for one in ours["lessons"]], ours["ignored"]


def run(
    folder: Path, group: click.Group, command: str, settings: object
) -> dict[str, list[dict[str, str]]]:
    config = folder / "settings.yaml"
    config.write_text(yaml.safe_dump(settings))
    options = ("--config", str(config), "--date", "2026-03-02", "--days", "1", "--json")
    result = CliRunner().invoke(group, [command, *options], catch_exceptions=False)
    read: dict[str, list[dict[str, str]]] = json.loads(result.stdout)
    return read


Write = Callable[[list[str]], str]
READERS: dict[str, tuple[str, Write]] = {
    "event": ("t.ics", singles),
    "occurrence": ("t.ics", overrides),
    "row": ("t.csv", rows),
}


def test_every_word_counts_in_every_place_and_case() -> None:
    assert [title for title in MATRIX if not calls_off(title)] == []
    with_remarks = [form.format(title) for title in REMARKS for form in ("{}", "FW: {}", "{} | 7b")]
    assert [title for title in with_remarks if not calls_off(title)] == []


@pytest.mark.parametrize(("name", "write"), READERS.values(), ids=READERS.keys())
def test_a_title_that_calls_its_lesson_off_is_believed(
    tmp_path: Path, name: str, write: Write
) -> None:
    lessons, ignored_events = plan(tmp_path, name, write(TITLES))
    assert lessons == []
    assert {one["why"] for one in ignored_events} == {TEXT_SAYS}
    assert {one["event"] for one in ignored_events} >= {
        f"{' '.join(title.split())[:80]} (2026-03-02)" for title in TITLES
    }


@pytest.mark.parametrize(("name", "write"), READERS.values(), ids=READERS.keys())
def test_a_title_that_holds_such_a_word_is_that_of_a_lesson(
    tmp_path: Path, name: str, write: Write
) -> None:
    titles = sorted(STAY)
    lessons, ignored_events = plan(tmp_path, name, write(titles))
    assert sorted(lessons) == sorted(title or "Lesson" for title in titles)
    assert ignored_events == []


@pytest.mark.parametrize(("name", "write"), READERS.values(), ids=READERS.keys())
def test_a_title_that_is_not_certain_opens_nothing(tmp_path: Path, name: str, write: Write) -> None:
    words = ("Tentative", "TBC", "Unter Vorbehalt", "À confirmer", "Por confirmar", "vorläufig")
    titles = [
        form.format(word) for word in words for form in ("{}: Maths?", "Maths ({})", "Theatre : {}")
    ]
    lessons, ignored_events = plan(tmp_path, name, write(titles))
    assert lessons == []
    assert {one["why"] for one in ignored_events} == {"tentative"}


@pytest.mark.parametrize(
    "line",
    [
        *("LOCATION:entfällt", "CATEGORIES:Math,Cancelled", "SUMMARY:Abgesagt: Mathe"),
        *("DESCRIPTION:Prof: X\\nStatut : Cours annulé\\n5b", "DESCRIPTION:Status: cancelled"),
        *("DESCRIPTION:entfällt", "DESCRIPTION:5b\\nCours annulé\\nSalle 3"),
    ],
)
def test_what_else_an_event_says_of_itself(tmp_path: Path, line: str) -> None:
    lessons, ignored_events = plan(tmp_path, "t.ics", calendar(event("Maths", 1, line)))
    assert (lessons, [one["why"] for one in ignored_events]) == ([], [TEXT_SAYS])


@pytest.mark.parametrize("line", ["DESCRIPTION:How it was cancelled", "CATEGORIES:Ausfallrisiko"])
def test_what_an_event_tells_of_other_things(tmp_path: Path, line: str) -> None:
    assert plan(tmp_path, "t.ics", calendar(event("Maths", 1, line))) == (["Maths"], [])


def test_a_date_that_is_called_off_takes_the_lesson_of_its_weekday(tmp_path: Path) -> None:
    """In its own room alone, and not what is there instead."""
    text = (
        "Day,Start,End,Room,Title,Status\n"
        'Monday,9:15,10:00,"R1, R2",Maths,\n'
        "Monday,11:15,12:00,R1,Art,\n"
        "2.3.2026,9:15,10:00,R1,Maths,entfällt\n"
        "2.3.2026,9:15,10:00,R1,Physics,\n"
    )
    lessons, ignored_events = plan(tmp_path, "t.csv", text)
    assert sorted(lessons) == ["Art", "Maths", "Physics"]
    assert ignored_events == [{"event": "Maths (2026-03-02)", "why": TEXT_SAYS}]


def test_a_title_that_calls_lessons_off_makes_a_holiday(tmp_path: Path) -> None:
    lessons, holidays = tmp_path / "lessons.ics", tmp_path / "holidays.ics"
    lessons.write_text(calendar(event("Maths", 1)))
    day = "DTSTART;VALUE=DATE:20260302\r\n"
    holidays.write_text(calendar(event("Unterricht entfällt", 1, span=day)))
    schedule = {"timezone": "Europe/Berlin", "calendar": str(lessons)}
    schedule["holidays_calendar"] = str(holidays)
    config = {"site": "s", "room": "r", "state": "a", "schedule": schedule}
    output = run(tmp_path, agent, "schedule", config)
    assert output["open"] == []
    assert output["ignored"] == [{"event": "the day's lessons", "why": "holiday"}]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400), st.sampled_from(MATRIX))
def test_any_text_is_decided_on(text: str, title: str) -> None:
    assert calls_off(text) in (True, False)
    assert calls_off(f"{title} | {text}")
