"""Alerts as mails: a subject that says it in one line, and a plain text, in the school's language.

What comes from settings, devices or the network stands in one line and holds no control letter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from collector.alerts.incidents import Entry, Incident
from collector.alerts.sight import OWN_CAUSES
from collector.fleet.overview import CAUSES
from collector.pages.render import locale_of, short
from collector.pages.words import words

MOST_ROOMS = 20
"""Named in one mail; of more there is the address of the list."""
IN_SUBJECT, LONGEST_SUBJECT = 3, 180
ORDER = (*OWN_CAUSES, *CAUSES)
SINGLE = ("broker_unreachable", "collector_disk", "collector_backup")
"""There is one of each, so that its name says nothing."""
RULE = "-" * 40


class Letter(NamedTuple):
    subject: str
    body: str


def one_line(text: str) -> str:
    """As it stands in a subject: no line ends, and nothing that turns or hides text."""
    plain = "".join(" " if unicodedata.category(one)[0] == "C" else one for one in text)
    return " ".join(plain.split())


class Letters:
    """In one language. `title` is what people call a room, `url` gives the pages' address."""

    def __init__(
        self,
        language: str,
        region: str | None,
        zone: str,
        title: Callable[[str, str], str],
        url: Callable[[], str],
    ) -> None:
        self._words, self._locale = words(language), locale_of(language, region)
        self._t: dict[str, Any] = self._words["alerts"]
        self._zone, self._title, self._url = ZoneInfo(zone), title, url

    def incident(self, incident: Incident) -> Letter:
        """One cause at one site."""
        what = self._pair(self._who(incident), self._name(incident.cause))
        if incident.kind != "began":
            what = self._t["over"].format(what)
        return self._letter(incident.site, what, self._section(incident))

    def several(self, some: list[Incident]) -> Letter:
        """All at once; what began first."""
        names = list(dict.fromkeys(self._name(one.cause) for one in some))
        sites = {one.site for one in some}
        what = f"{self._t['several'].format(len(some))}: {', '.join(names)}"
        if all(one.kind != "began" for one in some):
            what = self._t["over"].format(what)
        body = f"\n\n{RULE}\n\n".join(self._section(one) for one in some)
        return self._letter(sites.pop() if len(sites) == 1 else "", what, body)

    def digest(self, entries: Iterable[Entry], site: str) -> Letter:
        """What is wrong now, at one site or, with none, everywhere."""
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in sorted(entries, key=lambda one: (ORDER.index(one.key.cause), one.key)):
            groups.setdefault(entry.key[:2], []).append(entry)
        some = [Incident("began", *which, group, None, []) for which, group in groups.items()]
        names = ", ".join(dict.fromkeys(self._name(one.cause) for one in some))
        what = self._t["digest"].format(names or self._t["fine"])
        sections = [self._section(one) for one in some] or [self._t["fine_body"]]
        return self._letter(site, what, f"\n\n{RULE}\n\n".join(sections))

    def test(self) -> Letter:
        return self._letter("", self._t["test"], self._t["test_body"])

    def late(self, some: list[Letter]) -> Letter:
        """Mails that could not be sent when they were written, as one."""
        mails = [f"{one.subject}\n\n{one.body.partition(chr(10) + '-- ')[0]}" for one in some]
        what = self._t["late"].format(len(some))
        return self._letter("", what, f"\n{RULE}\n\n".join(mails).strip())

    def limit(self, letter: Letter, until: float) -> Letter:
        """The last one for an hour says so."""
        body, mark, foot = letter.body.partition("\n-- ")
        line = self._t["limit"].format(self._when(until))
        return Letter(letter.subject, f"{body}\n{line}\n{mark}{foot}")

    def database(self, since: float, is_over: bool) -> Letter:
        """Of which nothing can be written down."""
        own = self._t["own"]["database"]
        what = self._t["over"].format(own["short"]) if is_over else own["short"]
        since_line = self._t["since"].format(self._when(since))
        return self._letter("", what, f"{own['why']} ({since_line}).\n{self._remedy(own)}")

    def reason(self, cause: str) -> dict[str, str]:
        """Why, and the remedy."""
        texts = self._t["own"] if cause in OWN_CAUSES else self._words["fleet"]["faults"]
        return {name: texts[cause][name] for name in ("why", "remedy")}

    def _letter(self, site: str, what: str, body: str) -> Letter:
        subject = one_line(f"roommood {site}: {what}" if site else f"roommood: {what}")
        if len(subject) > LONGEST_SUBJECT:
            subject = f"{subject[: LONGEST_SUBJECT - 1]}…"
        foot = self._t["foot"].format(self._url())
        return Letter(subject, f"{body}\n\n-- \n{foot}\n")

    def _name(self, cause: str) -> str:
        own = self._t["own"].get(cause)
        return str(own["short"] if own else self._t["short"][cause])

    def _who(self, incident: Incident) -> str:
        names = [self._item(entry) for entry in incident.entries]
        if incident.site == "":
            is_part = incident.cause == "collector_problem"
            return ", ".join(names[:IN_SUBJECT]) if is_part else str(self._t["collector"])
        if len(names) == 1:
            return names[0]
        some = ", ".join(names[:IN_SUBJECT])
        more = ", …" if len(names) > IN_SUBJECT else ""
        return f"{self._t['devices'].format(len(names))} ({some}{more})"

    def _item(self, entry: Entry) -> str:
        site, item = entry.key.site, entry.key.item
        return one_line(self._title(site, item) if site else item)

    def _section(self, incident: Incident) -> str:
        """The cause, what to do, and where."""
        heading = self._pair(incident.site or self._t["collector"], self._name(incident.cause))
        if incident.kind == "began":
            reason = self.reason(incident.cause)
            lines = [heading, "", f"{reason['why']}.", self._remedy(reason), ""]
        else:
            lines = [self._t["over"].format(heading), ""]
        for entry in incident.entries[:MOST_ROOMS]:
            lines += self._lines(entry)
        more = len(incident.entries) - MOST_ROOMS
        if more > 0:
            lines.append(f"- {self._t['more'].format(more)}")
        if incident.rest:
            names = [self._item(entry) for entry in incident.rest[:MOST_ROOMS]]
            dots = ", …" if len(incident.rest) > MOST_ROOMS else ""
            lines += ["", self._t["rest"].format(f"{', '.join(names)}{dots}")]
        if incident.kind == "began" and len(incident.entries) > 1 and incident.site:
            lines += ["", self._t["all"].format(f"{self._url()}/devices?cause={incident.cause}")]
        return "\n".join(lines)

    def _pair(self, name: str, text: str) -> str:
        return str(self._t["pair"].format(name, text))

    def _lines(self, entry: Entry) -> list[str]:
        name = self._item(entry)
        if entry.key.site and name != entry.key.item:
            name = f"{entry.key.item}, {name}"
        about = self._about(entry)
        if about:
            name = f"{name} ({about})"
        if entry.over is None:
            time_text = self._t["since"].format(self._when(entry.since))
        else:
            time_text = self._t["span"].format(self._when(entry.since), self._when(entry.over))
        is_named = entry.key.cause not in SINGLE
        lines = [f"- {self._pair(name, time_text) if is_named else time_text}"]
        if entry.key.site and entry.over is None:
            lines.append(f"  {self._url()}/devices?text={quote(entry.key.item)}")
        return lines

    def _about(self, entry: Entry) -> str:
        if entry.key.cause == "collector_certificate":
            return str(self._t["ends"].format(self._when(float(entry.about))))
        return one_line(entry.about)

    def _remedy(self, reason: dict[str, str]) -> str:
        return str(self._t["do"].format(reason["remedy"]))

    def _when(self, at: float) -> str:
        when = datetime.fromtimestamp(at, self._zone)
        return short(when, "MMMd", self._zone, self._locale)
