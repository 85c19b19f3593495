"""Cells of a timetable: days of the week, dates and times as people and spreadsheets write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Literal

from babel.dates import get_day_names, get_month_names

from collector.config import DateOrder

Width = Literal["wide", "abbreviated", "short"]
DAY_NAMES: tuple[tuple[str, Width], ...] = (
    *(("en", "wide"), ("en", "abbreviated"), ("en", "short")),
    *(("de", "wide"), ("de", "abbreviated"), ("de", "short")),
    *(("fr", "wide"), ("fr", "abbreviated")),
    *(("es", "wide"), ("es", "abbreviated")),
)
"""Not the French and Spanish names of two letters: `di` and `do` are other days in German."""

WIDTHS: tuple[Literal["wide", "abbreviated"], ...] = ("wide", "abbreviated")

CLOCK = re.compile(
    r"(\d{1,2})\s*[:.h]\s*(\d{2})(?::\d{2}(?:\.0+)?)?\s*(?:([ap])\.?\s?m\.?|uhr)?", re.IGNORECASE
)
WHOLE_HOUR = re.compile(r"(\d{1,2})\s*([ap])\.?\s?m\.?", re.IGNORECASE)
HOUR_ALONE = re.compile(r"(\d{1,2})\s*(?:h|uhr)", re.IGNORECASE)
PART_OF_A_DAY = re.compile(r"0[.,]\d{3,}")
"""A time, and a day's number, in a cell that a spreadsheet saved without its form."""
SERIAL = re.compile(r"[45]\d{4}(?:[.,]0+)?")
FIRST_DAY = date(1899, 12, 30)
"""Of those numbers."""
FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)
DATE_ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy")
LONGEST_RANGE = 400
"""Days."""
THROUGH = r"\s*(?:[-–—/]|\b(?:bis|to|until|through|au|a|al|hasta)\b)\s*"
AMONG = re.compile(r"\s*(?:[,;/+&]|\b(?:und|and|et|y)\b)\s*", re.IGNORECASE)
TICKS = {"✓", "✔", "☑", "✅", "🗸"}
SWITCHED_OFF = {
    *("no", "nein", "non", "n", "false", "falsch", "faux", "falso", "0", "f", "off"),
    "",
}


def is_on(text: str | None) -> bool:
    """Of a cell that says yes or no; doubt is yes."""
    return plain(text or "") not in SWITCHED_OFF or (text or "").strip() in TICKS


def plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@lru_cache(maxsize=1)
def weekdays() -> dict[str, int]:
    names = {
        plain(name): number
        for language, width in reversed(DAY_NAMES)
        for number, name in get_day_names(width, "format", language).items()
    }
    names |= {f"{name}s": number for name, number in names.items() if name.endswith("tag")}
    return names | {"tues": 1, "weds": 2, "thurs": 3, "sonnabend": 5, "mittwochs": 2}


def weekdays_of(text: str) -> list[int]:
    """The days of the week that a cell names: `Mo`, `Mo-Fr`, `Mon, Wed`; none where it names
    something else."""
    numbers: list[int] = []
    for piece in AMONG.split(text.strip()):
        ends = [weekdays().get(plain(one)) for one in re.split(THROUGH, piece)]
        if not 1 <= len(ends) <= 2 or None in ends:
            return []
        first, last = ends[0] or 0, ends[-1] or 0
        numbers += range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]
    return sorted(set(numbers))


def days_of(text: str, order: DateOrder | None) -> list[date]:
    """A date's, or those of `09.03.2026-13.03.2026`; raises ValueError, which says what it is."""
    for match in re.finditer(THROUGH, text):
        begin, end = text[: match.start()].strip(), text[match.end() :].strip()
        if (last := _day_or_none(end, order)) is None:
            continue
        first = _day_or_none(begin, order) or _day_or_none(f"{begin}{last.year}", order)
        if first is not None:  # the second way for `09.03.-13.03.2026`
            return range_of(first, last)
    return [day_of(text, order)]


def _day_or_none(text: str, order: DateOrder | None) -> date | None:
    try:
        return day_of(text, order)
    except ValueError:
        return None


def range_of(first: date, last: date) -> list[date]:
    """Each day from one to another; raises ValueError where that is not a school's."""
    if not timedelta() <= last - first <= timedelta(LONGEST_RANGE):
        raise ValueError(f"column 'day': {first} to {last}: the end is not after the start")
    return [first + timedelta(number) for number in range((last - first).days + 1)]


def possible_days(text: str) -> list[date]:
    """Those that `3/9/2026` may be; none where it is no such date."""
    days: list[date] = []
    for order in DATE_ORDERS:
        try:
            days += days_of(text, order)
        except ValueError:
            continue
    return days


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names = [
        (plain(name), number)
        for language in ("en", "de", "fr", "es")
        for width in WIDTHS
        for number, name in get_month_names(width, "format", language).items()
    ]
    short = {name[:3]: number for name, number in names if not name.startswith("jui")}
    return {**short, **dict(names), "mrz": 3}  # Excel's German word for March


def day_of(text: str, order: DateOrder | None) -> date:
    """A date; a weekday before it has to be its own."""
    match = re.fullmatch(r"([^\W\d]+\.?),?\s+(.*)", text)
    weekday = None if match is None else weekdays().get(plain(match[1]))
    if match is None or weekday is None:
        return date_of(text, order)
    day = date_of(match[2], order)
    if day.weekday() != weekday:
        raise ValueError(f"column 'day': {text}: this date is no {match[1]}")
    return day


def _with_month(text: str) -> date | None:
    """A date with the month's name: `2 March 2026`, `March 2, 2026`, `2. März 2026`."""
    words = [
        word for word in re.split(r"[\s,.-]+", text.casefold()) if word not in ("", "de", "of")
    ]
    months = [number for word in words if (number := _months().get(plain(word)))]
    days = [re.sub(r"(?<=\d)(st|nd|rd|th|er|º|ª)$", "", word) for word in words]
    numbers = [word for word in days if word.isascii() and word.isdigit()]
    if len(words) != 3 or len(months) != 1 or len(numbers) != 2 or len(numbers[1]) not in (2, 4):
        return None
    year = int(numbers[1]) + (2000 if len(numbers[1]) == 2 else 0)
    try:
        return date(year, months[0], int(numbers[0]))
    except ValueError:
        raise ValueError(f"column 'day': {text}: no such day") from None


def date_of(text: str, order: DateOrder | None) -> date:
    text = re.sub(r"[ T]0{1,2}:00(:00(\.0+)?)?$", "", text)  # midnight, which programs add
    if (day := _with_month(text)) is not None:
        return day
    if SERIAL.fullmatch(text):
        return FIRST_DAY + timedelta(int(text[:5]))
    numbers = re.fullmatch(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})\.?", text)
    if numbers is None:
        raise ValueError(f"column 'day': {text}: write a weekday, or a date as in 2026-03-02")
    parts = [int(numbers.group(n)) for n in (1, 3, 4)]
    if len(numbers.group(1)) == 4:
        order = "ymd"
    elif order is None and numbers.group(2) == ".":
        order = "dmy"
    if order is None:
        raise ValueError(
            f"column 'day': {text}: say which comes first, as school.date_order: dmy, mdy or ymd"
        )
    by_letter = dict(zip(order, parts, strict=True))
    year = by_letter["y"] + (2000 if by_letter["y"] < 100 else 0)
    try:
        return date(year, by_letter["m"], by_letter["d"])
    except ValueError:
        raise ValueError(f"column 'day': {text}: no such day (read as {order})") from None


def time_of(column: str, text: str) -> time:
    if PART_OF_A_DAY.fullmatch(text):
        minutes = round(float(text.replace(",", ".")) * 24 * 60)
        text = f"{minutes // 60}:{minutes % 60:02}"
    elif alone := HOUR_ALONE.fullmatch(text):
        text = f"{alone[1]}:00"
    if whole := WHOLE_HOUR.fullmatch(text):  # `8 AM`
        text = f"{whole[1]}:00 {whole[2]}m"
    elif FOUR_DIGITS.fullmatch(text):  # `0800`
        text = f"{text[:2]}:{text[2:]}"
    match = CLOCK.fullmatch(text)
    hour, minute = (int(match.group(1)), int(match.group(2))) if match else (99, 0)
    if match and (half := match.group(3)):
        hour = hour % 12 + (12 if half[0] in "pP" else 0) if 1 <= hour <= 12 else 99
    if (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        raise ValueError(f"column '{column}': {text}: write hours and minutes, as in 9:15")
    return time(hour, minute)
