"""Page, PDF, CSV and JSON of a lesson say the same numbers; what stood out is more than chance."""

from __future__ import annotations

import csv
import io
import itertools
import random
import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.config import Retention, SchoolSettings
from collector.lessons.attendance import attendance
from collector.lessons.figures import figures
from collector.lessons.findings import findings
from collector.lessons.report import LessonReport, figures_csv
from collector.lessons.summary import Slot, ratio, summarize
from collector.pages.pdf import SHEETS, STYLES
from collector.pages.render import Renderer
from collector.pages.report_drawing import drawing
from collector.pages.words import words
from tests.conftest import mood

pytestmark = pytest.mark.once

START = datetime(2026, 3, 2, 8, 15, tzinfo=timezone.utc)
END = START + timedelta(minutes=10)
LABELS = ("happy", "surprise", "neutral", "sad", "uncertain")

FindingFields = tuple[object, ...]

CELLS = st.lists(st.integers(0, 12), min_size=5, max_size=5).filter(lambda n: sum(n) >= 5)
FIGURE = re.compile(
    r'data-figure="(\w+)"(?: data-label="([^"]*)")? data-value="(\d+)"'
    r'(?: data-low="(\d+)" data-high="(\d+)")?'
)


def lesson_report(cells: list[list[int] | None]) -> LessonReport:
    """Of windows of a minute; None: faces alone were counted."""
    moods = []
    for n, one in enumerate(cells):
        counts = None if one is None else dict(zip(LABELS, one, strict=True))
        faces = 11 if counts is None else sum(counts.values())
        reason = "headcount_only" if counts is None else None
        moods.append(
            mood(
                seq=n,
                start=START + timedelta(minutes=n),
                seconds=60.0,
                faces=faces,
                counts=counts,
                withheld=reason,
            )
        )
    summary = summarize(moods, START, END)
    attentive_labels = ["neutral", "surprise"]
    attentive = ratio({name: s.value for name, s in summary.shares.items()}, attentive_labels)
    return LessonReport(
        id=1,
        site="school",
        room="r101",
        title="Optics",
        teacher=None,
        start=START,
        end=END,
        how="button",
        notes="",
        summary=summary,
        markers=[],
        checkins=[],
        attentive=attentive,
        attentive_labels=attentive_labels,
        earlier=[],
        figures=figures(summary, attentive, attentive_labels),
        findings=findings(summary.slots, []),
    )


def number(text: str) -> int | None:
    return int(text) if text else None


def of_page(report: LessonReport, *, paper: bool) -> set[FindingFields]:
    return {
        (name, label or None, int(value), number(low), number(high))
        for name, label, value, low, high in FIGURE.findall(page(report, paper=paper))
    }


def page(report: LessonReport, *, paper: bool) -> str:
    renderer = Renderer(SchoolSettings(timezone="Europe/Berlin"))
    context = {
        "r": report,
        "f": drawing(report, words("en"), renderer.clock("en")),
        "attentive_words": "neutral, surprise",
        "width": 900,
        "height": 200,
        "kept": Retention(),
        "now": END,
        "paper": paper,
    }
    return renderer.text("report_pdf.html" if paper else "report_body.html", "en", context)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | CELLS, min_size=1, max_size=10))
@pytest.mark.long
def test_page_pdf_csv_and_json_say_the_same(cells: list[list[int] | None]) -> None:
    report = lesson_report(cells)
    json = {tuple(one.values()) for one in report.model_dump(mode="json")["figures"]}
    table = {
        (row["figure"], row["label"] or None, *(number(row[n]) for n in ("value", "low", "high")))
        for row in csv.DictReader(io.StringIO(figures_csv(report)))
    }
    assert table == json
    assert of_page(report, paper=False) == json
    assert of_page(report, paper=True) == json
    shares = [f for f in report.figures if f.figure == "share"]
    assert sum(f.value for f in shares) <= 100
    assert all(f.low is not None and f.low <= f.value <= (f.high or 0) for f in shares)


def test_a_report_is_one_page_of_paper() -> None:
    weasyprint = pytest.importorskip("weasyprint")
    report = lesson_report([[5, 4, 9, 2, 1]] * 10).model_copy(update={"notes": "It worked."})
    styles = [weasyprint.CSS(STYLES / sheet) for sheet in SHEETS]
    document = weasyprint.HTML(string=page(report, paper=True)).render(stylesheets=styles)
    assert len(document.pages) == 1


def slots(shares: list[float], faces: int = 22, seed: int | None = None) -> list[Slot]:
    """One a minute: a share of surprise, the rest neutral; drawn at random with a seed."""
    chance = random.Random(seed)  # a classroom, no secret
    rows = []
    for n, share in enumerate(shares):
        count = faces * share
        if seed is not None:
            count = sum(chance.random() < share for _ in range(faces))
        rows.append(
            Slot(
                start=START + timedelta(minutes=n),
                seconds=60,
                faces=faces,
                counts={"surprise": count, "neutral": faces - count, "uncertain": 0},
                withheld=None,
            )
        )
    return rows


def test_a_rise_is_found_with_its_time_and_what_was_marked_before_it() -> None:
    marker_time = START + timedelta(minutes=19)
    (one,) = findings(slots([0.1] * 20 + [0.6] * 20), [(marker_time, "group work")])
    assert (one.kind, one.label, one.at) == ("more", "surprise", START + timedelta(minutes=20))
    assert (one.before, one.value, one.marker) == (10, 60, "group work")
    assert one.low is not None
    assert one.high is not None
    assert one.low < 60 < one.high


def test_chance_is_no_finding() -> None:
    assert sum(len(findings(slots([0.3] * 45, seed=n), [])) for n in range(40)) <= 2


def test_at_most_three_are_told_apart_in_time() -> None:
    up_and_down = ([0.05] * 7 + [0.8] * 7) * 4
    items = findings(slots(up_and_down), [])
    assert len(items) == 3
    assert all(b.at - a.at >= timedelta(minutes=5) for a, b in itertools.pairwise(items))


def test_who_comes_and_goes_is_a_number_of_the_room() -> None:
    levels = [20.0] * 5 + [21.0, 20.0] * 3 + [24.0] * 5 + [18.0] * 5
    visits = attendance((120.0 * n, faces) for n, faces in enumerate(levels))
    assert visits == (20, 18, 24, 4, 6)
    assert attendance([]) is None
