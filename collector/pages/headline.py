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
    is_from_numbers: bool = False
    """Whether it comes from numbers, and not in place of them."""


def sentence(view: RoomView, t: Any) -> str:
    """What there is to say in place of numbers; nothing while there are some."""
    reason = view.mood.withheld if view.mood is not None and view.state == "withheld" else None
    if view.state == "live":
        return ""
    text = str(t["sentences"][reason or view.state])
    health = view.status.health if view.status is not None else None
    if view.state == "paused" and health is not None and health.pause is not None:
        return f"{text} {t['pauses'][health.pause]}"
    if reason == "headcount_only" and health is not None and health.mode == "headcount":
        return f"{text} {t['why'].format(REASONS[health.because])}"
    return text


def headline(view: RoomView, summary: RoomSummary, t: Any) -> Headline:
    if summary.headcount is not None:
        return _headcount(summary.headcount, t)
    text = sentence(view, t)
    if text and summary.why != "gathering":
        return Headline(text)
    if summary.shares is None or not summary.shares.rows:
        if not text and summary.faces is not None:
            text = str(t["room"]["faces_now"].format(summary.faces))
        return Headline(text)
    r = t["room"]
    if summary.change is None:
        top = max(summary.shares.rows, key=lambda row: row.percent)
        form = r["same_now"] if summary.has_comparison else r["mostly"]
        text = form.format(label(top.label, t), amount(top.percent, t))
        detail = r["probably"].format(top.low, top.high)
        if not summary.has_comparison:
            detail = f"{detail} {r['fresh']}"
        return Headline(text, detail, top.label, is_from_numbers=True)
    name, kind = summary.change
    row = shown_row(summary.shares, name)
    percent = row.percent if row else 0
    text = r[f"{kind}_now"].format(label(name, t), amount(percent, t))
    parts = [r["probably"].format(row.low, row.high)] if row else []
    if summary.before is not None:
        parts.append(r["was"].format(summary.before) if summary.before else r["was_few"])
    return Headline(
        text, " ".join(parts), name, "▲" if kind == "more" else "▼", is_from_numbers=True
    )


def shown_row(shares: ShownShares, name: str) -> ShownShare | None:
    return next((row for row in shares.rows if row.label == name), None)


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


def _headcount(headcount: Headcount, t: Any) -> Headline:
    r, (first, _, most, arrivals, left) = t["room"], headcount.lesson
    if headcount.more is None or abs(headcount.more) < LEAST_FACES:
        form = r["faces_now"] if headcount.more is None else r["faces_same"]
        text, arrow = form.format(headcount.now), ""
    else:
        form = r["faces_more"] if headcount.more > 0 else r["faces_less"]
        text, arrow = (
            form.format(abs(headcount.more), headcount.now),
            "▲" if headcount.more > 0 else "▼",
        )
    return Headline(
        str(text), str(r["attendance"].format(first, most, arrivals, left)), "", arrow, True
    )
