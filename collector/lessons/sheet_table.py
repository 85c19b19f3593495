"""A timetable's table: which rows it has, and what their columns are called."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import lru_cache

from collector.lessons.sheet_cells import plain
from edge.common.cancellation import calls_off
from edge.common.errors import UserError

COLUMNS = ("day", "start", "end", "room", "title")
HEADINGS = {
    "day": "weekday date startdate tag wochentag datum startdatum jour datedebut jourdelasemaine "
    "dia diadelasemana fecha fechadecomienzo fechadeinicio beginntam datumvon vondatum",
    "start": "from begin starttime beginn von anfang debut heuredebut inicio desde comienzo "
    "startzeit beginntum uhrzeitvon zeitvon anfangszeit horainicio horadeinicio horadecomienzo",
    "end": "to until endtime ende bis fin heurefin hasta endzeit endetum uhrzeitbis zeitbis "
    "heuredefin horafin horadefin horadefinalizacion finalizacion",
    "room": "classroom location raum zimmer ort salle aula sala lieu emplacement ubicacion",
    "title": "lesson subject course titel fach kurs titre cours matiere titulo asignatura materia "
    "betreff objet asunto summary",
    "teacher": "lehrer lehrerin lehrkraft professeur prof enseignant profesor profesora docente",
    "status": "state statut estado etat",
    "last day": "enddate enddatum endetam datedefin datefin fechadefinalizacion fechafin datumbis "
    "bisdatum",
    "all day": "alldayevent ganztagig ganztags ganztagigesereignis journeeentiere todoeldia",
    "private": "privat prive privado",
    "shown as": "showtimeas showas anzeigenals zeitspannezeigenals affichercomme mostrarcomo",
    "valid from": "gultigab gultigvon valideapartirde valabledes validodesde",
    "valid until": "gultigbis validto valablejusquau valablejusqua validohasta",
}
"""What else a column may be called, without accents, spaces and signs."""

LONGEST_CELL, LONGEST_ROW = 8, 20_000
"""Lines, and characters: a timetable's are far shorter."""


HEAD = 10
"""Rows at the top among which the headings are."""

OF_NO_ROW = {
    *("description", "notes", "note", "remark", "remarks", "comment", "comments", "categories"),
    *("beschreibung", "bemerkung", "bemerkungen", "notiz", "notizen", "hinweis", "kommentar"),
    *("kategorien", "info", "class", "klasse", "klassen", "group", "gruppe", "classe", "groupe"),
    *("clase", "grupo", "id", "uid", "nr", "no", "number", "nummer", "colour", "color", "farbe"),
    *("meetingorganizer", "requiredattendees", "optionalattendees", "meetingresources", "priority"),
    *("billinginformation", "mileage", "sensitivity", "reminderonoff", "reminderdate"),
    *("remindertime", "besprechungsplanung", "erforderlicheteilnehmer", "optionaleteilnehmer"),
    *("besprechungsressourcen", "abrechnungsinformationen", "reisekilometer", "prioritat"),
    *("vertraulichkeit", "erinnerungeinaus", "erinnerungam", "erinnerungum", "period", "std"),
    *("stunde", "hour", "heure", "hora", "art", "vertretung", "remarques", "remarque", "notas"),
    *("observaciones", "couleur", "duration", "dauer", "duree", "duracion", "school", "schule"),
}
"""Columns that limit no row: nobody need be told that they are not read."""

SECOND = "second "
"""Before a column's name that stood already, letter for letter."""

OTHER_DAY = "another day"
"""A second column for it, by another of its names."""


def read_table(text: str, where: str) -> list[tuple[int, dict[str, str]]]:
    """Rows that hold anything, each with the number of its line, by lower-case heading."""
    best: list[tuple[int, list[str]]] = []
    records = list(_records(text))
    for delimiter in ",;\t":
        rows = [
            (number, next(csv.reader([record], delimiter=delimiter), []))
            for number, record in records
        ]
        rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
        # Excel's own first line, or a title above the table
        begin = max(
            range(min(len(rows), HEAD)), key=lambda n: _heading_count(rows[n][1]), default=0
        )
        rows = rows[begin:]
        if rows and _heading_count(rows[0][1]) > (_heading_count(best[0][1]) if best else -1):
            best = rows
    if not best:
        raise UserError("holds no row", where, f"give it the columns {', '.join(COLUMNS)}")
    headings = _headings(best[0][1])
    if missing := [name for name in COLUMNS if name not in headings]:
        raise UserError(
            f"columns {', '.join(missing)} are missing; it has {', '.join(best[0][1])}"[:200],
            where,
            "the first row names them, separated by commas, semicolons or tabs",
        )
    return [
        (number, {name: cell.strip() for name, cell in zip(headings, row, strict=False)})
        for number, row in best[1:]
    ]


def _records(text: str) -> Iterator[tuple[int, str]]:
    """Each row's text, with the number of its first line.

    A cell in quotes may reach over a few lines; a quote that nobody closes ends with its line, or
    it would take all rows that follow.
    """
    lines = re.split(r"\r\n|\r|\n", text)  # not at other signs, which titles may hold
    number = 0
    while number < len(lines):
        for length in range(1, LONGEST_CELL + 1):
            record = " ".join(lines[number : number + length])
            if record.count('"') % 2 == 0:
                break
        else:
            length, record = 1, lines[number].replace('"', "")
        yield number + 1, record[:LONGEST_ROW]
        number += length


def _heading_count(row: list[str]) -> int:
    """How many headings a row has."""
    return len({*_headings(row)} & HEADINGS.keys())


def _headings(row: list[str]) -> list[str]:
    """Each cell as the name of a column: ours, or as it is written; no column stands twice."""
    headings: list[str] = []
    own = {plain(cell) for cell in row} & HEADINGS.keys()
    for cell in row:
        heading = plain(cell)
        name = _names().get(heading, "")
        is_second = name in headings or (name != heading and name in own)
        again = SECOND if name in headings and name == heading else "another "
        headings.append(f"{again}{name}" if is_second else name or cell.strip().lower())
    return headings


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names = {plain(word): name for name, words in HEADINGS.items() for word in words.split()}
    return names | {name: name for name in HEADINGS}


def unread_columns(table: list[tuple[int, dict[str, str]]]) -> list[str]:
    """Columns that hold something, which nobody reads but for words that call a lesson off."""
    names = dict.fromkeys(name for _, row in table for name, cell in row.items() if cell)
    return [
        name
        for name in names
        if name
        and name not in HEADINGS
        and not name.startswith((SECOND, "another "))
        and plain(name) not in OF_NO_ROW
        and not calls_off(name)
    ]
