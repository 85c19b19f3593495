"""Which room a calendar means: people write `R 101`, `Raum 101`, `A.101` or `R101, R102`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

ROOM_WORDS = {
    *("room", "rm", "classroom"),
    *("raum", "zimmer", "zi", "klassenzimmer", "klassenraum"),
    *("salle", "classe"),
    *("aula", "sala", "salon"),
}
"""Words for a room in the four languages, without accents; alone they name none."""

SEPARATORS = re.compile(r"[,;\n]|\\,|\s[/+&|]\s|(?<=\d)[+&|](?=\w)")
"""`school/r101` without spaces is a room of a school."""

LIST = re.compile(r" ?/ ?|\s(?:and|et|oder|or|und|y)\s")
"""Between rooms that are numbered alike: `R101/R102`, `R101 and R102`."""

NUMBER = re.compile(r"(?P<letters>[^\W\d_]{0,12})[ .:-]{0,2}(?P<digits>\d{1,5})[a-z]?")
"""A room as most are called, by a number."""

NUMBER_WORD = re.compile(
    r"#|(?<![^\W_])(?:n[or]\.|n°|nr|(?<=[a-z.:] )no|(?<=[a-z]-)nr\.?|num(?:ero|mer|ber)\.?)"
    r"[ .:]*(?=\d)"
)
"""Before a number: `Room No. 101`, `Raum-Nr. 101`, `Salle n° 101`; NO101 may lie north-east."""

SIZE_OR_FLOOR = (
    r"\d{1,3} ?(?:seats?|people|persons?|pers\.?|pax|platze?|sitzplatze|personen|places?|personnes"
    r"|plazas?|personas|asientos)"
    r"|(?:max\.? ?|bis |up to |jusqu'a |hasta )\d{1,3}(?: [a-z]+)?"
    r"|\d{1,2}(?:\.|st|nd|rd|th|er|e|eme|ere|a|o)? ?(?:og|ug|dg|stock|etage|geschoss"
    r"|obergeschoss|floor|level|planta|piso)"
    r"|(?:floor|level|etage|planta|piso|niveau) \d{1,2}"
)
"""Numbers that are of no room."""

REMARK = re.compile(rf" ?[(\[](?:[^\d()\[\]]*|(?:{SIZE_OR_FLOOR}))[)\]] ?$")
"""After a room, about it: `R101 (Physics)`; with another number it may be of another room."""

DASH = re.compile(r" [-–—] |: ")
"""Between a room and what is said of it, or a building and its room: `R101 - Physics`."""

MAILBOX = re.compile(r"(?<=\w)@[\w.-]+\.[a-z]{2,}$", re.IGNORECASE)
"""Of rooms that are invited to a lesson as people are: `r101@school.example`."""

BUILDING = re.compile(
    r"[a-z]|\d"
    r"|(?:.* )?(?:haus|house|building|bldg\.?|gebaude|geb\.?|bau|block|trakt|flugel|wing|campus"
    r"|site|standort|batiment|bat\.?|pavillon|pavilion|edificio|edif\.?|pabellon|ala|sede|annexe?|tower"
    r"|turm|centre|center|north|south|east|west|nord|sud|ost|est|ouest|norte|sur|este|oeste)"
    r"(?: .*)?"
    r"|\w*(?:haus|gebaude|bau|trakt|flugel)"
)
"""Where a room is, of those that share its number: `Haus B`, `Neubau`, `B`."""

ONLINE = re.compile(
    r"(?:via |per |uber |par |por )?"
    r"(?:zoom|(?:microsoft |ms )?teams|google meet|webex|jitsi|skype|bigbluebutton|bbb|online"
    r"|en ligne|en linea|virtuell?|videokonferenz|visioconference|videoconferencia)"
    r"(?:[ -](?:meeting|besprechung|call|unterricht|lesson|reunion))?[\W\d]*"
    r"|.*://.*|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/.*"
)
"""What is in no room at all, addresses included."""

NONE = {"n/a", "n.a.", "na", "none", "keine", "keiner", "aucune", "ninguna", "tba", "tbd"}

NAME = re.compile(r"[a-z0-9-]{1,32}")

LONGEST = 500
"""Characters of a place that are read."""


BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
"""Of one level."""

ADDRESS = re.compile(
    r"(?:[a-z]{1,2}-)?\d{4,5} [^\W\d].*|[a-z]{2} \d{5}(?:-\d{4})?|[a-z]{1,2}\d[a-z\d]? \d[a-z]{2}"
    r"|(?:.* )?[^\W\d]*(?:str\.?|strasse|weg|allee|gasse|platz|ring|ufer|damm|street|st\.?|road"
    r"|rd\.?|avenue|ave\.?|lane|drive) ?\d{1,4} ?[a-z]?"
    r"|\d{1,4}(?:[a-z]| bis)? .*\b(?:street|st\.?|road|rd\.?|avenue|ave\.?|lane|drive|way|blvd\.?)"
    r"|(?:\d{1,4}(?:[a-z]| bis)? )?(?:rue|avenue|boulevard|place|chemin|quai|allee|calle|avenida|c/"
    r"|plaza|paseo|carretera) .*"
)
"""A street or a town, beside the room in it."""

SCHOOL = re.compile(
    r"(?:.* )?(?:schule|school|gymnasium|lycee|college|ecole|colegio|instituto|escuela|academy"
    r"|universitat|university|universite|universidad|kolleg|campus)(?: .*)?"
    r"|\w*(?:schule|gymnasium|kolleg)"
)
"""Beside a room it is what the room is in."""


class RoomPlace(NamedTuple):
    """A room; `site` is None where no school is named."""

    site: str | None
    room: str


def _plain(text: str) -> str:
    """In small letters, without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """What two spellings of one room share: letters and digits, without accents; what parts two
    numbers stays, or 1.11 would be 11.1."""
    plain = re.sub(r"(?<=\d)[\W_]+(?=\d)", "-", _plain(text))
    return re.sub(r"(?:(?!(?<=\d)-(?=\d))[\W_])+", "", plain) or plain.strip()


def slug(text: str) -> str:
    """A room's name as topics have it, or nothing: `R 101` is r101, `A.101` is a-101."""
    name = re.sub(r"(?<=[a-z])[\s-]+(?=[0-9])", "", _bare(text.replace("_", " ")))
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def number(text: str) -> tuple[str, str] | None:
    """Letters and digits of a room that is called by a number, a word for room left out."""
    match = NUMBER.fullmatch(re.sub(r"^\W+|\W+$", "", _plain(text)))
    if match is None:
        return None
    letters = match["letters"]
    return "" if letters in ROOM_WORDS | {"r"} else letters, match.group()[len(letters) :].strip(
        " .:-"
    )


def _room_and_remark(text: str) -> tuple[str, str]:
    """`R101 (Physics)`, `R101 - Physics` and `Haus B - R101` in two, all that is said of the room
    last; two rooms may be one that moved, and stay."""
    room, remarks = text.strip(), list[str]()
    while (parting := _remark_apart(room))[1]:
        room, remark = parting
        remarks.append(remark)
    return room, ", ".join(remarks)


def _remark_apart(text: str) -> tuple[str, str]:
    """One remark; nothing where there is none."""
    # Without accents, a letter for a letter, so that positions are those of the text.
    plain = "".join((_plain(letter) or " ")[0] for letter in text)
    if match := REMARK.search(plain) or MAILBOX.search(plain):
        return text[: match.start()].strip(), text[match.start() :].strip(" ()[]")
    first, *others = (one.strip() for one in DASH.split(text))
    if len(others) == 1:
        other = _plain(others[0])
        is_remark = not re.search(r"\d", other) or re.fullmatch(SIZE_OR_FLOOR, other)
        if is_remark and number(_bare(first)):
            return first, others[0]
        if BUILDING.fullmatch(_plain(first)) and number(_bare(others[0])):
            return others[0], first
    return text.strip(), ""


def _bare(text: str) -> str:
    """In small letters and without accents, remarks and words for a room: `Raum Nr. 101` is 101."""
    plain = re.sub(r"^raum-(?=\d)", "", NUMBER_WORD.sub("", _plain(text)))
    return " ".join(word for word in plain.split() if word.strip(".:") not in ROOM_WORDS)


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """What the spellings of one place have in common: `Raum 101` and `R 101 (Physics)` are r101."""
    one, _ = _room_and_remark(text)
    bare = _bare(one) or one
    room = number(bare)
    by_number = {f"{room[0]}#{room[1]}"} if room else set()
    return frozenset({key(one), key(bare), *by_number} - {""})


def is_same(one: str, other: str) -> bool:
    """Whether two texts name one room."""
    return not names(one).isdisjoint(names(other))


def as_now(text: str) -> str:
    """Without the rooms that something moved out of: `R205, (R101)`, `+R205, -R101`.

    So substitution plans write it. A bracket after a room, with numbers in it, stays with it, and
    both are then no room that is known: which one is meant is not.
    """
    whole = BRACKETS.sub(_in_one_piece, re.sub(r"[^\S\n]+", " ", text[:LONGEST]))
    pieces = [one.strip() for one in SEPARATORS.split(whole)]
    former = [one for one in pieces if BRACKETS.fullmatch(one) and _has_room(one[1:-1])]
    if any(one.startswith("+") for one in pieces):
        former += [one for one in pieces if re.match(r"[-\u2010-\u2015\u2212]\w", one)]
    left = [one for one in pieces if one and one not in former]
    return "\n".join(left) if former and left else whole


def _in_one_piece(bracket: re.Match[str]) -> str:
    return SEPARATORS.sub(" ", bracket[0]) if _has_room(bracket[0][1:-1]) else bracket[0]


def _has_room(text: str) -> bool:
    """Whether there is one by a number among the places of a text."""
    pieces = (_bare(one).strip() for one in re.split(r"[,;\n/+&|]|\s{2,}", text))
    return any(number(one) and not re.fullmatch(SIZE_OR_FLOOR, one) for one in pieces)


@lru_cache(maxsize=4096)
def parts(text: str) -> tuple[str, ...]:
    """The places that a text names, as it writes them; none for what is online."""
    places: list[str] = []
    for piece in SEPARATORS.split(as_now(text)):
        one, _ = _room_and_remark(piece)
        plain = _plain(one)
        says_nothing = plain.isascii() and not any(map(str.isalnum, plain))
        if not says_nothing and plain not in NONE and not ONLINE.fullmatch(plain):
            places += _list(one) or [one]
    return tuple(places)


def building(text: str, room: str) -> str:
    """What a text says of the building that a room, of those it names, is in; else nothing.

    `R101 (Haus B)` and `Haus B, R101` do; `R101 (Physics)` does not.
    """
    pieces = [one.strip() for one in SEPARATORS.split(as_now(text))]
    own = [one for one in pieces if is_same(one, room)]
    remarks = [remark for one in own if (remark := _room_and_remark(one)[1])]
    others = [one for one in pieces if one not in own]
    remarks = [piece for remark in remarks for piece in remark.split(", ")]
    names_of_it = [one for one in remarks or others if BUILDING.fullmatch(_plain(one).strip())]
    return " ".join(sorted(map(key, names_of_it)))


def _list(text: str) -> list[str]:
    """`R101/102` taken apart; nothing for what is no list of rooms that are numbered alike."""
    rooms = [NUMBER.fullmatch(one.strip()) for one in LIST.split(_plain(text))]
    if len(rooms) < 2 or any(room is None for room in rooms):
        return []
    letters = [room["letters"] for room in rooms if room]
    digits = {len(room["digits"]) for room in rooms if room}
    alike = all(one in (letters[0], "") for one in letters[1:])
    if not alike and (len(digits) > 1 or digits == {1}):
        return []
    return [
        room.group() if room["letters"] else f"{letters[0]} {room.group()}".strip()
        for room in rooms
        if room
    ]


class RoomNames:
    """Finds rooms by the names that calendars have for them.

    `calendars`: for each room, as `room` or `site/room`, how calendars write it.
    """

    def __init__(self, calendars: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._places: dict[str, list[RoomPlace]] = {}
        for name, spellings in (calendars or {}).items():
            place = split_site(name)
            for spelling in (place.room, *spellings):
                self._places.setdefault(key(spelling), []).append(place)

    def spellings(self) -> dict[str, str]:
        """For the key of each spelling the room that it means, where that is one."""
        return {
            spelling: f"{places[0].site or ''}/{places[0].room}"
            for spelling, places in self._places.items()
            if len(places) == 1
        }

    def find(self, text: str) -> list[RoomPlace]:
        """The rooms that a text names, none where it names no room."""
        if not text.strip():
            return []
        if matches := self._places.get(key(text)):
            return matches
        pieces = [
            part
            for piece in SEPARATORS.split(as_now(text))
            for part in ((piece,) if key(piece) in self._places else parts(piece))
        ]
        around = _around([one for one in pieces if key(one) not in self._places], len(pieces))
        places: list[RoomPlace] = []
        for part in pieces:
            places += self._places.get(key(part)) or ([] if part in around else _guess(part))
        return list(dict.fromkeys(places))


def split_site(text: str) -> RoomPlace:
    """`north/r101` as it is written."""
    site, slash, room = text.rpartition("/")
    return RoomPlace(site if slash else None, room)


def _around(places: list[str], count: int) -> set[str]:
    """Of places that no settings name, among `count` that one text has: what is no room, but where
    the room is: `School, R101, 12345 Town` has one room."""
    plain = {one: _plain(one).strip() for one in places}
    addresses = {one for one in places if ADDRESS.fullmatch(plain[one])}
    rooms = {one for one in places if one not in addresses and _has_room(one)}
    if addresses:
        return {one for one in places if one not in rooms}
    if not rooms and len(places) == count:
        return set()
    others = {one for one in places if one not in rooms}
    return {one for one in others if BUILDING.fullmatch(plain[one]) or SCHOOL.fullmatch(plain[one])}


def _guess(text: str) -> list[RoomPlace]:
    """A room that no settings name, as `r101` or `site/r101`."""
    site, room = split_site(text)
    name = slug(_room_and_remark(room)[0])
    if not NAME.fullmatch(name) or (site is not None and not NAME.fullmatch(slug(site))):
        return []
    return [RoomPlace(slug(site) if site is not None else None, name)]
