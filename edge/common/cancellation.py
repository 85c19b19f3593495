"""Titles that call a lesson off, as people and programs write them in the four languages.

Outlook puts `Canceled:` before a title, Pronote `Cours annulé`, a teacher writes `Mathe (entfällt)`
and often nothing else in the calendar says so. A word counts where it speaks of the lesson: as a
part of the title by itself, between colons, dashes, commas or brackets, or as the last word of one;
verbs that lessons are not named by (`entfällt`) wherever they stand. A title that merely holds a
word (`Cancelled cheques and other fraud`) is that of a lesson. Doubt keeps the camera shut: what
does not count is named, and a lesson that was meant can be renamed.
"""

from __future__ import annotations

import contextlib
import html
import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from edge.common.calendar_event import attribute, each, place_of
from edge.common.cancellation_words import (
    ABSENCE,
    ANYWHERE,
    AROUND,
    CALL,
    CALLS,
    CLASS,
    DETAIL,
    FIRST,
    IN_PLACE,
    INSTEAD,
    LAST,
    MOVE,
    MOVE_WORD,
    NAMES,
    NONE_OF,
    NOT_OF_A_LESSON,
    NOT_TODAY,
    OF_A_CLASS,
    OF_NO_LESSON,
    OF_PROGRAMS,
    OFF_FOR_ALL,
    PARTS,
    PREFIX,
    RANGE,
    SCHOOL_OFF,
    SWITCH,
    TARGET,
    TENTATIVE,
    TO_ROOM,
    TOMORROW,
    WEEKDAYS,
    WHICH,
    WHOLE,
    WORD,
    YES,
)
from edge.common.holiday_words import (
    EVE,
    FEASTS,
    HOLIDAY,
    MARK,
    MOST_WORDS,
    NO_HOLIDAY,
    PUBLIC_HOLIDAY,
)
from edge.common.places import names, parts

TEXT_SAYS = "called off by its title, place or status"
"""Why such an event does not count."""


def calls_off(title: str) -> bool:
    """Whether a title says that what it names does not take place."""
    # A space without width may stand within a word or between two.
    return any(_calls_off(one) for one in {title[:1000], title[:1000].replace("\u200b", " ")})


@lru_cache(maxsize=4096)
def _calls_off(title: str) -> bool:
    title = _without_replaced(title)
    plain = plain_text(title)
    return (
        bool(ANYWHERE.search(plain) or TO_ROOM.search(plain))
        or any(_part_calls_off(part) for part in _parts(plain))
        or any(_names_first(part.split()) for part in _parts(title))
        or _shouts(title)
        or "EVA" in _parts(title)  # work on one's own; Eva is a name
        or "\u0336" in title  # letters that are struck through
    )


def _without_replaced(title: str) -> str:
    """Of `Mathe statt Deutsch (Deutsch entfällt)` and `Deutsch entfällt, dafür Mathe` what is held
    in place of what is off."""
    if not re.search(r"\b(?:statt|dafur|instead|place|lieu|lugar|vez)", plain_text(title)):
        return title
    parts, plain = _parts(title), [plain_text(part) for part in _parts(title)]
    names = {word for part in plain for one in INSTEAD.findall(part) for word in words(one)}
    is_held = [bool(IN_PLACE.fullmatch(part)) for part in plain]
    if any(is_held):
        return "\n".join(part for part, held in zip(parts, is_held, strict=True) if held)
    if not names:
        return title
    return "\n".join(
        part
        for part, own in zip(parts, map(subject, parts), strict=True)
        if not own or not own <= names
    )


def _parts(title: str) -> list[str]:
    parts = PARTS.split(PREFIX.sub("", title, count=1))
    return [part for one in parts if (part := one.strip(" .,?\"'«»+"))]


@lru_cache(maxsize=4096)
def _part_calls_off(part: str) -> bool:
    whole = _is_call(part)
    if (
        not whole
        and any(map(str.isdigit, part))
        and (rest := " ".join(OF_A_CLASS.sub(" ", part).split())) not in ("", part)
    ):
        return _is_call(rest)  # `7b kein Unterricht`, `Kein Unterricht für 7b`
    return whole


def _is_call(part: str) -> bool:
    if any(pattern.fullmatch(part) for pattern in (WHOLE, AROUND, MOVE, NONE_OF, NOT_TODAY)):
        return True
    if any(WHOLE.fullmatch(piece) for piece in part.split("/")):  # `Maths/cancelled`
        return True
    last = LAST.fullmatch(part)
    return bool(last and re.split("[ -]", last["before"])[-1] not in NOT_OF_A_LESSON)


def _shouts(title: str) -> bool:
    """`CANCELLED Maths`: the word in capitals, what follows not."""
    pieces = title.split()
    for count in (1, 2):
        head, rest = " ".join(pieces[:count]), pieces[count:]
        if head.isupper() and re.fullmatch(WORD, plain_text(head).strip(" .,")):
            return any(letter.islower() for piece in rest for letter in piece)
    if len(pieces) > 1 and pieces[-1].isupper():  # `Mathe STORNO`
        word, has_small = plain_text(pieces[-1]).strip(" .,"), any(map(str.islower, title))
        return has_small and (word == "eva" or bool(re.fullmatch(WORD, word)))
    return False


def _names_first(pieces: list[str]) -> bool:
    """`Cancelled Maths`: the word before a name and nothing else; `Cancelled cheques and fraud`
    are a subject, and so may be what stands in capitals throughout."""
    if len(pieces) < 2 or not FIRST.fullmatch(plain_text(pieces[0])):
        return False
    if plain_text(pieces[1]) in NOT_OF_A_LESSON:
        return False
    names = all(piece[0].isupper() or piece[0].isdigit() for piece in pieces[1:])
    return len(pieces) == 2 or (names and (len(pieces) < 4 or not "".join(pieces).isupper()))


def is_tentative(title: str) -> bool:
    """Whether a part of a title says that it is not certain, as Outlook's `Tentative: Maths`."""
    return any(TENTATIVE.fullmatch(part) for part in _parts(plain_text(title[:1000])))


def words(title: str) -> frozenset[str]:
    """A title's words that may name a lesson, in small letters and without accents; a class in one
    word (`7 b`, `Year 7`)."""
    plain = re.sub(r"\b(?:p|period )\d{1,2}\b", " ", plain_text(title[:1000]))
    plain = re.sub(r"\b(?:y|year )(\d{1,2})\b", r"\1", plain)
    plain = re.sub(r"\b(\d{1,2}) ([a-h])\b", r"\1\2", plain)
    return frozenset(re.findall(r"\w+", plain)) - OF_NO_LESSON


def subject(title: str) -> frozenset[str]:
    """Of a title that calls off, the words for what does not take place, or who is away."""
    plain = WHICH.sub(" ", PREFIX.sub("", plain_text(title[:1000]), count=1))
    if none := NONE_OF.fullmatch(plain):
        return words(none["name"]) | classes(title)
    if re.search(rf"\b(?:{ABSENCE})\b", plain):
        return words(plain)
    rest = re.sub(rf"\b(?:{MOVE_WORD})\b", " ", CALLS.sub(" ", plain))
    return words(rest) | _between(plain)


def lesson_words(title: str) -> frozenset[str]:
    """Of a lesson's title what names it, and not what it stands in for (`Deutsch statt Mathe`)."""
    return words(INSTEAD.sub(" ", plain_text(title[:1000])))


def is_holiday(title: str) -> bool:
    """Whether a title of whole days is that of a holiday: `Winterferien 2026 Berlin`."""
    plain = EVE.sub("", _letters(title))
    if FEASTS.fullmatch(plain):
        return True
    is_named = bool(HOLIDAY.search(plain) or PUBLIC_HOLIDAY.search(plain))
    return is_named and not _is_of_holidays(title) and len(plain.split()) <= MOST_WORDS


def is_marked_holiday(event: Any) -> bool:
    """Whether an event of whole days has the mark of holiday calendars: a category, or the first
    line below the title."""
    marks = _texts(event, "CATEGORIES")
    marks += [text.strip().split("\n")[0] for text in _texts(event, "DESCRIPTION")]
    titles = _texts(event, "SUMMARY")
    return any(MARK.fullmatch(_letters(one)) for one in marks) and not any(
        map(_is_of_holidays, titles)
    )


def _is_of_holidays(title: str) -> bool:
    """Whether it is something in the holidays, before or after them."""
    others = HOLIDAY.sub(" ", PUBLIC_HOLIDAY.sub(" ", EVE.sub("", _letters(title))))
    return bool(NO_HOLIDAY.search(others))


def _letters(title: str) -> str:
    return " ".join(re.sub(r"[^\w' -]+", " ", plain_text(title[:1000])).split())


def classes(title: str) -> frozenset[str]:
    """The classes that a title names, as `words` has them; of `Klassen 5-7` all three."""
    plain = plain_text(title[:1000])
    return _between(plain) | words(" ".join(one[0] for one in OF_A_CLASS.finditer(plain)))


def _between(plain: str) -> frozenset[str]:
    """The years of a range, as of `Klassen 5-7`."""
    ranges = (range(int(one["first"]), int(one["last"]) + 1) for one in RANGE.finditer(plain))
    return frozenset(str(year) for years in ranges for year in years)


def day_off(title: str) -> Literal["school", "lessons", ""]:
    """Whether a part of a title says that nobody has lessons, or that some have none."""
    parts = _parts(plain_text(title[:1000]))
    for_all = any(re.fullmatch(rf"(?:{SCHOOL_OFF})(?: (?:{DETAIL}|\d.*))?", part) for part in parts)
    if for_all and not re.search(rf"\b(?:{CLASS})\b", plain_text(title[:1000])):
        return "school"
    off = for_all or any(OFF_FOR_ALL.search(part) for part in parts)
    return "lessons" if off else ""


def speaks_of_another_day(title: str, day: date) -> bool:
    """`No school tomorrow`, `Reminder: no lessons on Friday`, which stand at some other day."""
    plain = TARGET.sub(" ", plain_text(title[:1000]))
    weekdays = {number for number, names in enumerate(WEEKDAYS) if names.search(plain)}
    if weekdays:
        return day.weekday() not in weekdays
    return bool(re.search(rf"\b(?:{TOMORROW})\b", plain))


def event_calls_off(event: Any) -> bool:
    """Whether a calendar's event does so: by title, place or category, or by a line of
    its own in the text below, as timetable programs write it, or one that names the lesson."""
    properties = ("SUMMARY", "LOCATION", "CATEGORIES", "COMMENT")
    texts = [text for name in properties for text in _texts(event, name)]
    here = frozenset().union(*map(names, parts(place_of(event))))
    if any(calls_off(_without_own_room(text, here)) for text in texts):
        return True
    if any(_property_calls_off(name, str(one)) for name in event for one in each(event, name)):
        return True
    own = frozenset().union(*map(lesson_words, _texts(event, "SUMMARY")))
    below = [text for name in ("DESCRIPTION", "X-ALT-DESC") for text in _texts(event, name)]
    lines = [line for text in below for line in _lines(text)]
    return any(
        line_calls_off(line) or (calls_off(line) and not own.isdisjoint(subject(line)))
        for line in lines
    )


def _without_own_room(text: str, here: frozenset[str]) -> str:
    """Without the room that it moved to, where that is the event's: it is there by now."""
    match = TO_ROOM.search(plain := plain_text(text))
    is_here = match and not names(match["arrow"] or match["room"]).isdisjoint(here)
    return TO_ROOM.sub("", plain) if is_here else text


def line_calls_off(line: str) -> bool:
    """Whether a line below a title says so of itself: `Entfall, Aufgaben in Moodle`, `Status:
    cancelled`, `Annulé : oui`."""
    line = line.strip(" .!*-")
    status, switch = NAMES.fullmatch(line), SWITCH.fullmatch(line)
    if switch and switch[1].strip(" .!*") in YES:
        return True
    first = re.split(r"[,.!(]|\s-\s", line)[0].strip()
    return bool(WHOLE.fullmatch(line) or CALL.fullmatch(first) or (status and calls_off(status[1])))


def _property_calls_off(name: str, value: str) -> bool:
    """Whether a property that a program has for itself does: `X-UNTIS-CODE:cancelled`."""
    name = name.upper()
    if not name.startswith("X-") or not OF_PROGRAMS.search(name) or "BUSYSTATUS" in name:
        return False
    is_switched = "CANCEL" in name and plain_text(value).strip() in YES
    return is_switched or calls_off(value)


def _lines(text: str) -> list[str]:
    """As `plain_text` has them; HTML taken apart at its breaks."""
    text = re.sub(r"\\([,;])", r"\1", text.replace("\\n", "\n"))  # which X- properties still have
    markup = re.sub(r"(?i)<(?:br|/?(?:p|div|li|tr|h\d))\b[^<>]*>", "\n", text[:4000])
    plain = plain_text(re.sub(r"<[^<>]*>", " ", markup))
    return [line.strip() for line in re.split(r"[\n;|•]", plain)]


def _texts(event: Any, name: str) -> list[str]:
    """A property's texts; a list of categories is several."""
    return [str(text) for one in each(event, name) for text in attribute(one, "cats") or [one]]


def plain_text(text: str) -> str:
    """In small letters, without accents, signs that are not seen, and spaces more than one."""
    text = html.unescape(text)
    if "Ã" in text:  # UTF-8 that a program took for Windows' encoding
        with contextlib.suppress(UnicodeError):
            text = text.encode("cp1252").decode("utf-8")
    letters = (
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    lines = "".join(letters).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)
