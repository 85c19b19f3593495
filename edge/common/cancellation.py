"""Titles that call a lesson off, as people and programs write them in the four languages.

Outlook puts `Canceled:` before a title, Pronote `Cours annulé`, a teacher writes `Mathe (entfällt)`
and often nothing else in the calendar says so. A word counts where it speaks of the lesson: as a
part of the title by itself, between colons, dashes, commas or brackets, or as the last word of one;
verbs that lessons are not named by (`entfällt`) wherever they stand. A title that merely holds a
word (`Cancelled cheques and other fraud`) is that of a lesson. Doubt keeps the camera shut: what
does not count is named, and a lesson that was meant can be renamed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from edge.common.calendar_event import attribute, each

TEXT_SAYS = "called off by its title, place or status"
"""Why such an event does not count."""

CANCELLATION = (
    r"cancell?ed|called off|postponed(?! from)"
    r"|abgesagt\w{0,2}|ausgefallen|entfallen|entf|gestrichen|storniert|verschoben(?! vo[mn])"
    r"|annulee?s?|supprimee?s?|reportee?s?(?! d[eu])"
    r"|cancelad[oa]s?|anulad[oa]s?|suspendid[oa]s?|aplazad[oa]s?(?! del?)|pospuest[oa]s?(?! del?)"
)
"""Participles; without accents, as all that follows."""

VERB = r"entf(?:a|ae)llt(?! nicht\b)|f(?:a|ae)llt(?: (?!nicht\b)\w+){0,3} aus"
SENTENCE = (
    r"(?:not|no longer) taking place|does not take place|will not take place"
    rf"|{VERB}|findet nicht statt"
    r"|n'?a(?:ura)? pas lieu|se (?:cancela|anula|suspende|aplaza)|no se (?:imparte|da)"
)
"""Verbs that say it of what stands before them."""

NOUN = (
    r"cancell?ation|no (?:class|classes|lesson|lessons|school)"
    r"|absage|ausfall|entfall|stundenausfall|unterrichtsausfall|kein unterricht"
    r"|(?:schul|unterrichts)frei|declined|abgelehnt|refusee?|rechazad[oa]"
    r"|(?:m|mme|mlle)\.? (?:\S+ ){1,3}absente?"
    r"|annulation|suppression|pas (?:de|d') ?(?:cours|classe|lecon)"
    r"|prof(?:esseure?)?\.?(?:/pers\.?)? absente?|classe absente"
    r"|cancelacion|anulacion|suspension|(?:no hay|sin) (?:clase|clases)"
)
"""Count as a part of a title only: they are subjects of lessons, too (`Noise cancellation`)."""

DAY_OFF = (
    r"no (?:classes|lessons|school)(?: today)?|(?:schul|unterrichts)frei|kein unterricht"
    r"|pas (?:de|d') ?(?:cours|classe)|(?:no hay|sin) clases?"
)
"""Of all lessons, where it stands over a whole day."""

LESSON = (
    r"(?:the |der |die |das |le |la |el |ce |l')?"
    r"(?:class|course|event|lesson|meeting|session"
    r"|kurs|schulstunde|stunde|termin|unterricht|veranstaltung"
    r"|cours|evenement|lecon|reunion|seance|clase|curso|evento|leccion|sesion)"
)
BE = (
    r"(?:is|has been|ist|wurde|wird|est|a ete|es|esta|queda|ha sido|fue|sera) "
    r"(?:today |heute |leider |hoy |aujourd'hui )?"
)
DETAIL = (
    r"(?:am|aufgrund|aujourd'hui|because|by|car|cause|ce|da|debido|del?|demain|due|for|from|heute"
    r"|hoy|jusqu'?au?|le|leider|morgen|on|owing|par|por|pour|since|this|today|tomorrow|until|vom"
    r"|bis|weil|wegen|wg|hasta|tonight)\b.*"
)
"""What may follow: when, or for what reason."""

WORD = rf"(?:{CANCELLATION}|{SENTENCE}|{NOUN})"
WHOLE = re.compile(
    rf"(?:{LESSON} )?(?:{BE})?{WORD}(?: {LESSON})?(?: {DETAIL})?|{LESSON} {BE}{WORD}.*"
)
"""A part of a title that says nothing else."""

LAST = re.compile(rf"(?P<before>.*\S)[ -](?:{CANCELLATION}|{SENTENCE})(?: {DETAIL})?")
FIRST = re.compile(
    r"cancell?ed|abgesagt|ausgefallen|entfallen|entfallt|gestrichen|annulee?|cancelad[oa]|anulad[oa]"
)
"""Before the name of what does not take place; `Abgesagte Konzerte` are a subject."""

ANYWHERE = re.compile(
    rf"\b(?:(?:{VERB})\b|(?<!pas de ){LESSON} (?:{BE})?(?:{CANCELLATION})\b)|[❌✖🚫⛔]"
)
MOVE = re.compile(rf"(?:{LESSON} )?(?:{BE})?(?:moved|verlegt|deplacee?s?|desplazad[oa]s?)")
"""To another time, as long as nothing says where to."""

LOSS = r"(?:stunden|unterrichts)?ausfall|entfall"
AROUND = re.compile(rf"(?:{LOSS}) (?!de[rsmn] |von |im |am )\S+(?: \S+)?|\S+(?: \S+)? (?:{LOSS})")
"""`Ausfall Mathe 7b`, `Mathe Ausfall`: nothing but a name beside it."""
NOT_OF_A_LESSON = {
    *("was", "were", "be", "being", "get", "gets", "got", "not", "never", "why", "who", "what"),
    *("and", "or", "nicht", "nie", "und", "oder", "warum", "non", "pas", "jamais", "et", "ou"),
    *("no", "nunca", "y", "o", "by", "of", "that", "which"),
    *("longer", "formerly", "previously", "mehr", "plus", "ya"),
}
"""Before the last word these make it part of a tale, or its opposite."""

NAMES = re.compile(r"(?:status|statut|estado|etat)\s*:\s*(.*)")

PREFIX = re.compile(r"(?:(?:fwd?|wg|aw|re|tr|rv|rif|i)\s*:\s*)+", re.IGNORECASE)
"""Of mails that were answered or passed on."""

PARTS = re.compile(r"[()\[\]{}<>|:!*~=#•·…;,_\"“”„«»\\\n\u2010-\u2015]+|\s/\s|\s-+\s*|-+\s|^-+|-+$")
"""What stands between the parts of a title; a hyphen within a word does not."""


def calls_off(title: str) -> bool:
    """Whether a title says that what it names does not take place."""
    # A space without width may stand within a word or between two.
    return any(_calls_off(one) for one in {title[:1000], title[:1000].replace("\u200b", " ")})


@lru_cache(maxsize=4096)
def _calls_off(title: str) -> bool:
    plain = _plain(title)
    return (
        bool(ANYWHERE.search(plain))
        or any(_part_calls_off(part) for part in _parts(plain))
        or any(_names_first(part.split()) for part in _parts(title))
        or _shouts(title)
    )


def _parts(title: str) -> list[str]:
    parts = PARTS.split(PREFIX.sub("", title, count=1))
    return [part for one in parts if (part := one.strip(" .,?\"'«»+"))]


def _part_calls_off(part: str) -> bool:
    if any(pattern.fullmatch(part) for pattern in (WHOLE, AROUND, MOVE)):
        return True
    last = LAST.fullmatch(part)
    return bool(last and re.split("[ -]", last["before"])[-1] not in NOT_OF_A_LESSON)


def _shouts(title: str) -> bool:
    """`CANCELLED Maths`: the word in capitals, what follows not."""
    pieces = title.split()
    for count in (1, 2):
        head, rest = " ".join(pieces[:count]), pieces[count:]
        if head.isupper() and re.fullmatch(WORD, _plain(head).strip(" .,")):
            return any(letter.islower() for piece in rest for letter in piece)
    return False


def _names_first(pieces: list[str]) -> bool:
    """`Cancelled Maths`: the word before a name and nothing else; `Cancelled cheques` are a
    subject, and so may be what stands in capitals throughout."""
    return (
        len(pieces) > 1
        and bool(FIRST.fullmatch(_plain(pieces[0])))
        and all(piece[0].isupper() or piece[0].isdigit() for piece in pieces[1:])
        and not "".join(pieces).isupper()
    )


TENTATIVE = re.compile(
    r"tentative|provisional|tbc|to be confirmed|unter vorbehalt|vorlaufig|unbestatigt|noch offen"
    r"|provisoire|a confirmer|sous reserve|por confirmar|tentativ[oa]"
)


def is_tentative(title: str) -> bool:
    """Whether a part of a title says that it is not certain, as Outlook's `Tentative: Maths`."""
    return any(TENTATIVE.fullmatch(part) for part in _parts(_plain(title[:1000])))


def words(title: str) -> frozenset[str]:
    """A title's words, in small letters and without accents."""
    return frozenset(re.findall(r"\w+", _plain(title[:1000])))


def subject(title: str) -> frozenset[str]:
    """Of a title that calls off, the words for what does not take place."""
    plain = PREFIX.sub("", _plain(title[:1000]), count=1)
    rest = re.sub(rf"(?:\b{LESSON} )?(?:\b{BE})?\b{WORD}\b(?: {DETAIL})?", " ", plain)
    return words(rest)


def is_day_off(title: str) -> bool:
    """Whether a part of a title says that there are no lessons at all."""
    return any(re.fullmatch(DAY_OFF, part) for part in _parts(_plain(title[:1000])))


def event_calls_off(event: Any) -> bool:
    """Whether a calendar's event does so: by title, place or category, or by a line of
    its own in the text below, as timetable programs write it."""
    texts = [text for name in ("SUMMARY", "LOCATION", "CATEGORIES") for text in _texts(event, name)]
    if any(calls_off(text) for text in texts):
        return True
    lines = (line for text in _texts(event, "DESCRIPTION") for line in text[:4000].split("\n"))
    for line in map(_plain, lines):
        status = NAMES.fullmatch(line)
        if WHOLE.fullmatch(line.strip(" .!*")) or (status and calls_off(status[1])):
            return True
    return False


def _texts(event: Any, name: str) -> list[str]:
    """A property's texts; a list of categories is several."""
    return [str(text) for one in each(event, name) for text in attribute(one, "cats") or [one]]


def _plain(text: str) -> str:
    """In small letters, without accents, signs that are not seen, and spaces more than one."""
    letters = (
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    lines = "".join(letters).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)
