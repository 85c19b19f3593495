"""The one sentence on a room: what is different from ten minutes ago, in words and size."""

from __future__ import annotations

from typing import Any, NamedTuple

from collector.live.rooms import RoomView
from collector.live.rounding import ShownShare, ShownShares
from collector.pages.room_summary import LEAST_FACES, Headcount, RoomSummary
from edge.protocol.messages import REASONS


class Headline(NamedTuple):
    """`label` is the expression that it is about; `detail` how sure it is."""

    text: str
    detail: str = ""
    label: str = ""
    arrow: str = ""
    told: bool = False
    """Whether it comes from numbers, and not in place of them."""


def sentence(view: RoomView, t: Any) -> str:
    """What there is to say in place of numbers; nothing while there are some."""
    withheld = view.mood.withheld if view.mood is not None and view.state == "withheld" else None
    if view.state == "live":
        return ""
    told = str(t["sentences"][withheld or view.state])
    health = view.status.health if view.status is not None else None
    if view.state == "paused" and health is not None and health.pause is not None:
        return f"{told} {t['pauses'][health.pause]}"
    if withheld == "headcount_only" and health is not None and health.mode == "headcount":
        return f"{told} {t['why'].format(REASONS[health.because])}"
    return told


def headline(view: RoomView, seen: RoomSummary, t: Any) -> Headline:
    if seen.headcount is not None:
        return _headcount(seen.headcount, t)
    text = sentence(view, t)
    if text and seen.why != "gathering":
        return Headline(text)
    if seen.shown is None or not seen.shown.rows:
        if not text and seen.faces is not None:
            text = str(t["room"]["faces_now"].format(seen.faces))
        return Headline(text)
    r = t["room"]
    if seen.change is None:
        top = max(seen.shown.rows, key=lambda row: row.percent)
        form = r["same_now"] if seen.compared else r["mostly"]
        text = form.format(label(top.label, t), amount(top.percent, t))
        detail = r["probably"].format(top.low, top.high)
        if not seen.compared:
            detail = f"{detail} {r['fresh']}"
        return Headline(text, detail, top.label, told=True)
    name, kind = seen.change
    row = shown_row(seen.shown, name)
    percent = row.percent if row else 0
    text = r[f"{kind}_now"].format(label(name, t), amount(percent, t))
    parts = [r["probably"].format(row.low, row.high)] if row else []
    if seen.before is not None:
        parts.append(r["was"].format(seen.before) if seen.before else r["was_few"])
    return Headline(text, " ".join(parts), name, "▲" if kind == "more" else "▼", told=True)


def shown_row(shown: ShownShares, name: str) -> ShownShare | None:
    return next((row for row in shown.rows if row.label == name), None)


def label(name: str, t: Any) -> str:
    return str(t["labels"].get(name, name))


def amount(percent: int, t: Any) -> str:
    """Per cent in steps of five as a number of faces in ten, which a class can picture."""
    r = t["room"]
    if percent < 5:
        return str(r["hardly"])
    if percent >= 95:
        return str(r["nearly"])
    tens, rest = divmod(percent, 10)
    if rest == 0:
        return str(r["in_ten"].format(tens))
    return str(r["in_ten"].format(r["range"].format(tens, tens + 1)) if tens else r["in_twenty"])


def _headcount(seen: Headcount, t: Any) -> Headline:
    r, (first, _, most, came, left) = t["room"], seen.lesson
    if seen.more is None or abs(seen.more) < LEAST_FACES:
        form = r["faces_now"] if seen.more is None else r["faces_same"]
        text, arrow = form.format(seen.now), ""
    else:
        form = r["faces_more"] if seen.more > 0 else r["faces_less"]
        text, arrow = form.format(abs(seen.more), seen.now), "▲" if seen.more > 0 else "▼"
    return Headline(
        str(text), str(r["attendance"].format(first, most, came, left)), "", arrow, True
    )
