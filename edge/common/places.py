"""Which room a calendar means: people write `R 101`, `Raum 101`, `A.101` or `R101, R102`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

ROOM_WORDS = {
    *("room", "rm", "classroom"),
    *("raum", "zimmer", "klassenzimmer", "klassenraum"),
    *("salle", "classe"),
    *("aula", "sala", "salon"),
}
"""Words for a room in the four languages, without accents; alone they name none."""

SEPARATORS = re.compile(r"[,;\n]|\\,|\s[/+&|]\s|(?<=\d)[+&|](?=\w)")
"""`school/r101` without spaces is a room of a school."""

PAIR = re.compile(r"\s*(?P<letters>[a-z]+)[ .-]?(\d+)\s*/\s*(?:(?P=letters)[ .-]?)?(\d+)\s*")
"""`R101/R102` and `R101/102`: no school is named like its rooms."""

ONLINE = re.compile(
    r"(?:via |per |uber |par |por )?"
    r"(?:zoom|(?:microsoft |ms )?teams|google meet|webex|jitsi|skype|bigbluebutton|bbb|online"
    r"|en ligne|en linea|virtuell?|videokonferenz|visioconference|videoconferencia)"
    r"(?:[ -](?:meeting|besprechung|call|unterricht|lesson|reunion))?[\W\d]*"
)
"""What is in no room at all."""

NAME = re.compile(r"[a-z0-9-]{1,32}")


class RoomPlace(NamedTuple):
    """A room; `site` is None where no school is named."""

    site: str | None
    room: str


def _plain(text: str) -> str:
    """In small letters, without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def key(text: str) -> str:
    """What two spellings of one room share: letters and digits, without accents."""
    return "".join(letter for letter in _plain(text) if letter.isascii() and letter.isalnum())


def slug(text: str) -> str:
    """A room's name as topics have it, or nothing: `R 101` is r101, `A.101` is a-101."""
    words = [
        word for word in re.split(r"[\s_]+", _plain(text)) if word.strip(".:") not in ROOM_WORDS
    ]
    name = re.sub(r"(?<=[a-z])[\s-]+(?=[0-9])", "", " ".join(words))
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def parts(text: str) -> list[str]:
    """The places that a text names, as it writes them; none for what is online."""
    both = PAIR.fullmatch(_plain(text))
    if both:
        return [f"{both[1]} {both[2]}", f"{both[1]} {both[3]}"]
    places = (part.strip() for part in SEPARATORS.split(text))
    return [one for one in places if one and "://" not in one and not ONLINE.fullmatch(_plain(one))]


class RoomNames:
    """Finds rooms by the names that calendars have for them.

    `calendars`: for each room, as `room` or `site/room`, how calendars write it.
    """

    def __init__(self, calendars: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._places: dict[str, list[RoomPlace]] = {}
        for name, spellings in (calendars or {}).items():
            place = _place(name)
            for spelling in (place.room, *spellings):
                self._places.setdefault(key(spelling), []).append(place)

    def find(self, text: str) -> list[RoomPlace]:
        """The rooms that a text names, none where it names no room."""
        if matches := self._places.get(key(text)):
            return matches
        places: list[RoomPlace] = []
        for part in parts(text):
            places += self._places.get(key(part)) or _guess(part)
        return list(dict.fromkeys(places))


def _place(text: str) -> RoomPlace:
    site, slash, room = text.rpartition("/")
    return RoomPlace(site if slash else None, room)


def _guess(text: str) -> list[RoomPlace]:
    """A room that no settings name, as `r101` or `site/r101`."""
    site, room = _place(text)
    name = slug(room)
    if not NAME.fullmatch(name) or (site is not None and not NAME.fullmatch(slug(site))):
        return []
    return [RoomPlace(slug(site) if site is not None else None, name)]
