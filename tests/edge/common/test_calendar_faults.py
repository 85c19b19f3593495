"""Calendars as programs really write them, and worse: what is good stays, what is off stays off.

Each case is a kind that an export of Outlook, Exchange, Google, Untis, aSc or an old Mac has.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.calendar import Calendar
from edge.common.errors import UserError

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
SPAN = ("DTSTART;TZID=Europe/Berlin:20260302T091500", "DTEND;TZID=Europe/Berlin:20260302T100000")
LATER = ("DTSTART;TZID=Europe/Berlin:20260302T111500", "DTEND;TZID=Europe/Berlin:20260302T120000")
TUESDAY = tuple(line.replace("0302T", "0303T") for line in SPAN)
DAILY = "RRULE:FREQ=DAILY;COUNT=3"


def event(*lines: str, uid: str | None = "1@s") -> str:
    own = [] if uid is None else [f"UID:{uid}"]
    return "\r\n".join(["BEGIN:VEVENT", *own, *lines, "END:VEVENT", ""])


def file(*parts: str) -> str:
    return "".join(["BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", *parts, "END:VCALENDAR\r\n"])


GOOD = event(*SPAN, "SUMMARY:Good", uid="good@s")


def parse(text: str | bytes) -> Calendar:
    return Calendar(text if isinstance(text, bytes) else text.encode(), BERLIN, "lessons.ics")


def titles(text: str | bytes, day: date = MONDAY) -> list[str]:
    return [f"{one.event.get('SUMMARY')} {one.start:%H:%M}" for one in parse(text).on(day)]


def days(text: str, count: int = 3) -> list[list[str]]:
    return [titles(text, MONDAY + timedelta(days=n)) for n in range(count)]


ZONE: tuple[str, ...] = (
    "BEGIN:VTIMEZONE",
    "TZID:{}",
    "BEGIN:STANDARD",
    "DTSTART:{}",
    "TZOFFSETFROM:{}",
)
ZONE += ("TZOFFSETTO:{}", "END:STANDARD", "END:VTIMEZONE", "")


def zone(name: str = "Own", start: str = "16010101T000000", before: str = "+0100") -> str:
    return "\r\n".join(ZONE).format(name, start, before, before)


BESIDE = {
    "a task": "BEGIN:VTODO\r\nUID:t\r\nDUE:soon\r\nEND:VTODO\r\n",
    "times that are taken": "BEGIN:VFREEBUSY\r\nUID:f\r\nFREEBUSY:foo\r\nEND:VFREEBUSY\r\n",
    "a journal": "BEGIN:VJOURNAL\r\nDTSTART:x\r\nEND:VJOURNAL\r\n",
    "a component of its own": "BEGIN:X-WEEK\r\nDTSTART:x\r\nEND:X-WEEK\r\n",
    "a task that does not end": "BEGIN:VTODO\r\nUID:t\r\n",
    "an alarm that says nothing": event(*LATER, "BEGIN:VALARM", "TRIGGER:x", "END:VALARM"),
    "an alarm that does not end": event(*LATER, "BEGIN:VALARM", "TRIGGER:-PT5M"),
    "an event that does not end": event(*LATER).replace("END:VEVENT\r\n", ""),
    "an end of nothing": "END:VEVENT\r\nEND:VALARM\r\n",
    "a zone that is empty": "BEGIN:VTIMEZONE\r\nTZID:Own\r\nEND:VTIMEZONE\r\n",
    "a zone without a name": zone().replace("TZID:Own\r\n", ""),
    "a zone with words as times": zone(start="soon", before="one hour"),
    "a zone with odd times": zone(before="+9900"),
    "a zone that does not end": zone().replace("END:VTIMEZONE\r\n", ""),
    "a zone that the file lies about": zone("Europe/Berlin", before="+0500"),
    "an unknown zone of the file": "X-WR-TIMEZONE:Mars/Base\r\n",
    "a zone of the file that is a path": "X-WR-TIMEZONE:../../etc/passwd\r\n",
    "a calendar that asks": f"END:VCALENDAR\r\n{file('METHOD:COUNTER', chr(10), event(*LATER))}"
    "BEGIN:VCALENDAR\r\n",
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE.keys())
@pytest.mark.parametrize("first", [True, False])
def test_what_stands_beside_a_lesson_leaves_it(beside: str, first: bool) -> None:
    lines = titles(file(*((beside, GOOD) if first else (GOOD, beside))))
    assert lines[0] == "Good 09:15"


EACH = {
    "an end before the start": (*SPAN[:1], "DURATION:-PT45M"),
    "an end that is a day": (*SPAN[:1], "DTEND;VALUE=DATE:20260302"),
    "an end in another age": (*SPAN[:1], "DTEND:99991231T235959Z"),
    "a start in another age": ("DTSTART:16010101T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    "a status that cannot be read": (*SPAN, "STATUS CANCELLED"),
    "two states": (*SPAN, "STATUS:CONFIRMED", "STATUS:CANCELLED"),
    "an exception that cannot be read": (*SPAN, DAILY, "EXDATE 20260302"),
    "days left out by a rule": (*SPAN, DAILY, "EXRULE:FREQ=DAILY;INTERVAL=2"),
    "a date in no calendar": (*SPAN, "RDATE:99991231T235959Z"),
    "a version that is a word": (*SPAN, "SEQUENCE:new"),
    "no times": (*SPAN, "RRULE:FREQ=DAILY;COUNT=0"),
    "a sixth Monday of the month": (*SPAN, "RRULE:FREQ=MONTHLY;BYDAY=6MO"),
    "a first day of the year in June": (*SPAN, "RRULE:FREQ=DAILY;BYYEARDAY=1;BYMONTH=6"),
    "a 53rd week in June": (*SPAN, "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6"),
    "the 367th day": (*SPAN, "RRULE:FREQ=YEARLY;BYYEARDAY=367"),
    "the fortieth Monday of a month": (*SPAN, "RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=40"),
    "a weekday that there is not": (*SPAN, "RRULE:FREQ=YEARLY;BYDAY=60MO"),
}


@pytest.mark.parametrize("lines", EACH.values(), ids=EACH.keys())
def test_a_fault_of_an_event_is_named_and_costs_no_time(lines: tuple[str, ...]) -> None:
    start = time.process_time()
    table = parse(file(event("SUMMARY:Broken", *lines), GOOD))
    assert [str(one.event["SUMMARY"]) for one in table.on(MONDAY)] == ["Good"]
    assert [one.event.partition(" ")[0] for one in table.faults] == ["Broken"]
    assert time.process_time() - start < 2, "a rule is searched to the year 9999"


def change(at: str, *lines: str, of: str = "RECURRENCE-ID") -> str:
    return event(f"{of}{at}", *lines)


OFF = (*TUESDAY, "STATUS:CANCELLED", "SUMMARY:Off")
SERIES = event(*SPAN, DAILY, "SUMMARY:Daily")
CALLED_OFF = {
    "by the time": file(SERIES, change(";TZID=Europe/Berlin:20260303T091500", *OFF)),
    "in UTC": file(SERIES, change(":20260303T081500Z", *OFF)),
    "without a zone": file(SERIES, change(":20260303T091500", *OFF)),
    "by the day": file(SERIES, change(";VALUE=DATE:20260303", *OFF)),
    "by the time before the series was moved": file(
        SERIES, change(";TZID=Europe/Berlin:20260303T080000", *OFF)
    ),
    "and confirmed, in copies of one version": file(
        SERIES,
        change(":20260303T081500Z", *OFF),
        change(";TZID=Europe/Berlin:20260303T091500", *TUESDAY, "SUMMARY:On"),
    ),
    "by an exception": file(event(*SPAN, DAILY, "EXDATE:20260303T081500Z", "SUMMARY:Daily")),
    "by an exception in another zone": file(
        event(*SPAN, DAILY, "EXDATE;TZID=America/New_York:20260303T031500", "SUMMARY:Daily")
    ),
    "by an exception for the day": file(
        event(*SPAN, DAILY, "EXDATE;VALUE=DATE:20260303", "SUMMARY:Daily")
    ),
    "by an exception at midnight": file(
        event(*SPAN, DAILY, "EXDATE:20260303T000000Z", "SUMMARY:Daily")
    ),
    "by an exception that is a period": file(
        event(*SPAN, DAILY, "EXDATE;VALUE=PERIOD:20260303T081500Z/PT45M", "SUMMARY:Daily")
    ),
    "by an exception that is a period until": file(
        event(
            *SPAN, DAILY, "EXDATE;VALUE=PERIOD:20260303T081500Z/20260303T090000Z", "SUMMARY:Daily"
        )
    ),
    "by an exception for another time": file(
        event(*SPAN, DAILY, "EXDATE;TZID=Europe/Berlin:20260303T080000", "SUMMARY:Daily")
    ),
    "by an exception in an unknown zone": file(
        event(*SPAN, DAILY, "EXDATE;TZID=Mars:20260303T091500", "SUMMARY:Daily")
    ),
    "in a file that cancels": file(SERIES)
    + file("METHOD:CANCEL\r\n", change(":20260303T081500Z", *TUESDAY, "SUMMARY:Daily")),
    "in a file that says so at its end": file(SERIES)
    + file(change(":20260303T081500Z", *TUESDAY, "SUMMARY:Daily"), "METHOD:CANCEL\r\n"),
}


@pytest.mark.parametrize("text", CALLED_OFF.values(), ids=CALLED_OFF.keys())
def test_an_occurrence_that_is_called_off_however_it_is_written(text: str) -> None:
    assert days(text) == [["Daily 09:15"], [], ["Daily 09:15"]]


@pytest.mark.parametrize("word", ["FREE", "TENTATIVE", "OOF", "WORKINGELSEWHERE", "free"])
def test_outlook_says_that_a_room_is_not_in_use(word: str) -> None:
    line = f"X-MICROSOFT-CDO-BUSYSTATUS:{word}"
    assert titles(file(event(*SPAN, line, "SUMMARY:x"), GOOD)) == ["Good 09:15"]


def test_an_exception_takes_its_own_occurrence_of_a_day_alone() -> None:
    more = "RDATE;TZID=Europe/Berlin:20260303T140000"
    text = file(event(*SPAN, DAILY, more, "EXDATE:20260303T081500Z", "SUMMARY:Daily"))
    assert days(text)[1] == ["Daily 14:00"]


@pytest.mark.parametrize(
    ("value", "times"),
    [
        (";VALUE=DATE:20260303", ["x 09:15"]),
        (";VALUE=DATE:20260303,20260304", ["x 09:15"]),
        (":20260303", ["x 09:15"]),
        (":20260303T131500Z", ["x 14:15"]),
        (";VALUE=PERIOD:20260303T131500Z/PT30M", ["x 14:15"]),
    ],
)
def test_an_extra_day_of_a_series_has_its_time(value: str, times: list[str]) -> None:
    """And is no lesson at midnight."""
    assert titles(file(event(*SPAN, f"RDATE{value}", "SUMMARY:x")), MONDAY + timedelta(1)) == times


def test_lessons_that_share_a_uid_are_lessons_each() -> None:
    """As programs write them that give a UID to the file and not to the event."""
    for uid in ("same", "", None):
        one, two = (event(*span, "SUMMARY:x", uid=uid) for span in (SPAN, LATER))
        elsewhere = event(*SPAN, "SUMMARY:y", "LOCATION:R2", uid=uid)
        bad_event = event("DTSTART:x", "SUMMARY:z", uid=uid)
        off = event(*SPAN, "STATUS:CANCELLED", "LOCATION:R2", "SUMMARY:y", uid=uid)
        assert titles(file(one, bad_event, two)) == ["x 09:15", "x 11:15"]
        assert sorted(titles(file(one, elsewhere))) == ["x 09:15", "y 09:15"]
        if uid == "same":
            assert titles(file(elsewhere, one, off)) == ["x 09:15"]


def test_series_that_share_a_uid_lose_what_is_called_off_of_each() -> None:
    two = event(*LATER, DAILY, "SUMMARY:Other")
    off = (*LATER, "STATUS:CANCELLED", "SUMMARY:Off")
    text = file(SERIES, two, change(";TZID=Europe/Berlin:20260303T111500", *off))
    assert days(text, 2) == [["Daily 09:15", "Other 11:15"], ["Daily 09:15"]]


def test_the_last_word_on_an_event_may_be_one_that_cannot_be_read() -> None:
    for line in ("STATUS:CANCELLED", "SEQUENCE:9"):
        assert titles(file(event(*SPAN, "SUMMARY:x"), event("DTSTART:x", line), GOOD)) == [
            "Good 09:15"
        ]


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\r\r\n", "\r\n\r\n"])
def test_lines_end_in_every_way(ending: str) -> None:
    assert titles(file(GOOD).replace("\r\n", ending)) == ["Good 09:15"]


def test_a_line_may_be_broken_within_a_letter() -> None:
    content = file(event(*SPAN, "SUMMARY:Übung für alle")).encode()
    middle = content.index("ü".encode()) + 1
    assert titles(content[:middle] + b"\r\n " + content[middle:]) == ["Übung für alle 09:15"]


def test_zones_by_the_names_that_programs_give_them() -> None:
    names = [
        *(
            "/freeassociation.sourceforge.net/Europe/Berlin",
            "/mozilla.org/20050126_1/Europe/Berlin",
        ),
        *("W. Europe Standard Time", '"(UTC+01:00) Amsterdam, Berlin"'),
    ]
    own = zone("(UTC+01:00) Amsterdam, Berlin")
    for name in names:
        lesson = event(*(line.replace("Europe/Berlin", name) for line in SPAN), "SUMMARY:x")
        assert titles(file(own, lesson)) == ["x 09:15"], name


def test_a_day_on_which_a_series_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever nobody thought of; here the library fails on one event."""

    class Picky:
        def __init__(self, calendar: object) -> None:
            self._texts = str(calendar.to_ical())  # type: ignore[attr-defined]  # icalendar's
            self._real = real(calendar)

        def between(self, *span: object) -> object:
            if "Odd" in self._texts:
                raise RuntimeError("odd")
            return self._real.between(*span)

    real = recurring_ical_events.of
    monkeypatch.setattr(recurring_ical_events, "of", Picky)
    table = parse(file(event(*SPAN, "SUMMARY:Odd"), GOOD))
    assert [str(one.event["SUMMARY"]) for one in table.on(MONDAY)] == ["Good"]
    assert [one.why for one in table.faults] == ["cannot be worked out (odd)"]


# Generated: good lessons and cancelled ones, with faults of every kind between them.

STARTS: tuple[str, ...] = (
    "20260302T081500Z",
    "20260302",
    "20260302T091500",
    "19700101T000000Z",
    "99991231T235959Z",
)
STARTS += ("00010101T000000", "20260332T091500", "20260302T0915", "tomorrow", "")
NAMES: tuple[str, ...] = (
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "STATUS",
)
NAMES += ("TRANSP", "SEQUENCE", "SUMMARY", "LOCATION", "ATTENDEE", "X-ODD", "EXRULE", "METHOD")
PARAMETERS: tuple[str, ...] = (
    "",
    ";VALUE=DATE",
    ";VALUE=PERIOD",
    ";TZID=Europe/Berlin",
    ";TZID=Mars",
    ";X=",
    ';A="',
)
PARAMETERS += (";RANGE=THISANDFUTURE", ";RANGE=THISANDPRIOR", ";VALUE=TEXT")
RULE = st.lists(
    st.sampled_from(
        [
            *("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=SECONDLY", "FREQ="),
            *("COUNT=2", "COUNT=-1", "COUNT=x", "UNTIL=20260401", "UNTIL=20260401T000000Z"),
            *(
                "INTERVAL=0",
                "INTERVAL=400",
                "BYDAY=MO",
                "BYDAY=6MO,-60TU",
                "BYDAY=XX",
                "BYMONTH=13",
            ),
            *("BYMONTHDAY=31", "BYMONTHDAY=-32", "BYWEEKNO=53", "BYWEEKNO=99", "BYYEARDAY=367"),
            *("BYSETPOS=9", "BYSETPOS=0", "BYHOUR=25", "WKST=ZZ", "RSCALE=HEBREW", "X=1", ""),
        ]
    ),
    max_size=5,
).map(";".join)
VALUES = st.one_of(
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(STARTS), max_size=3).map(",".join),
    RULE,
    st.sampled_from(["PT1H", "-PT1H", "P9999D", "PT", "P1W2X", "CANCELLED", "CONFIRMED", "many"]),
    st.text(max_size=12),
)
LINES = st.one_of(
    st.builds("{}{}:{}".format, st.sampled_from(NAMES), st.sampled_from(PARAMETERS), VALUES),
    st.sampled_from(["BEGIN:VALARM", "END:VALARM", "BEGIN:VEVENT", "END:VEVENT", "NO COLON", ":"]),
    st.text(max_size=20),
)
BLOCKS = st.one_of(
    st.lists(LINES, max_size=7).map(lambda lines: event(*lines, uid="faulty@s")),
    st.lists(LINES, max_size=7).map(lambda lines: event(*SPAN, *lines, uid="faulty@s")),
    st.lists(LINES, max_size=4).map(lambda lines: event(*lines, uid=None)),
    st.sampled_from(sorted(BESIDE.values())),
)
KEEPS = [
    GOOD,
    event(*SPAN, "RRULE:FREQ=WEEKLY;BYDAY=MO", "SUMMARY:Good", uid="weekly@s"),
    event(*SPAN, "STATUS:CONFIRMED", "TRANSP:OPAQUE", "SUMMARY:Good", uid="certain@s"),
]
CANCELLATIONS = [
    event(*SPAN, "STATUS:CANCELLED", "SUMMARY:Off", uid="off@s"),
    event(*SPAN, DAILY, "EXDATE;VALUE=DATE:20260302", "SUMMARY:Off", uid="left-out@s"),
    event(*SPAN, DAILY, "SUMMARY:Off", uid="changed@s")
    + event("RECURRENCE-ID:20260302", *SPAN, "STATUS:CANCELLED", "SUMMARY:Off", uid="changed@s"),
]


@settings(max_examples=200, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=6), data=st.data())
def test_no_fault_takes_a_lesson_or_opens_what_is_off(
    blocks: list[str], data: st.DataObject
) -> None:
    parts = data.draw(st.permutations([*KEEPS, *CANCELLATIONS, *blocks]))
    text = file(*parts)
    if "METHOD" in text.upper():  # a calendar's own word, where an event did not end before it
        text = text.replace("METHOD", "COMMENT")
    lessons = [str(one.event.get("SUMMARY")) for one in parse(text).on(MONDAY)]
    assert lessons.count("Good") >= len(KEEPS)
    assert "Off" not in lessons


@settings(max_examples=200, deadline=None)
@given(data=st.data(), noise=st.lists(st.binary(max_size=6), max_size=8))
def test_whatever_bytes_come_there_is_a_calendar_or_a_sentence(
    data: st.DataObject, noise: list[bytes]
) -> None:
    content = bytearray(file(*KEEPS, *CANCELLATIONS, *BESIDE.values()).encode())
    for some in noise:
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 9))] = some
    try:
        table = parse(bytes(content))
    except UserError as error:
        sentence = str(error)
    else:
        sentence = str(table.on(MONDAY)) + str(table.ignored_on(MONDAY))
    assert sentence
