"""A lesson as its report has it: one object behind the page, the PDF, the files and the API."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from collector.lessons.checkins import CheckIns
from collector.lessons.figures import Figure, figures
from collector.lessons.findings import Highlight, findings
from collector.lessons.repository import Lesson, LessonRepository
from collector.lessons.summary import Summaries, Summary, instant, ratio
from edge.common.errors import UserError
from edge.protocol.messages import rfc3339

FORMULA = re.compile(r"((?:^|[;,|\t\r\n])[\s\"']*)(?=[=+@-])")

CAVEAT = (
    "A ratio of the expressions that this school counts as attentive, as a program assigns them to "
    "faces. It does not measure attention."
)


class MarkerOut(BaseModel):
    at: datetime
    text: str


class RoundOut(BaseModel):
    """Five minutes of check-ins; null where too few answered."""

    start: datetime
    answers: int | None
    counts: dict[str, int] | None


class LessonOut(BaseModel):
    """A lesson in a list."""

    id: int
    site: str
    room: str
    title: str
    teacher: str | None
    start: datetime
    end: datetime | None
    how: str


class EarlierLesson(BaseModel):
    """An earlier lesson of the same title, to compare with."""

    id: int
    start: datetime
    faces: float | None
    counts: dict[str, float]
    attentive: float | None
    figures: list[Figure]


class LessonReport(LessonOut):
    """All there is of a lesson."""

    notes: str
    summary: Summary
    markers: list[MarkerOut]
    checkins: list[RoundOut]
    attentive: float | None = Field(description=CAVEAT)
    attentive_labels: list[str]
    earlier: list[EarlierLesson]
    figures: list[Figure] = Field(description="Every number of the page, as it is written there.")
    findings: list[Highlight] = Field(description="What stood out, at most three.")


def lesson_out(lesson: Lesson) -> LessonOut:
    return LessonOut(
        id=lesson.id,
        site=lesson.site,
        room=lesson.room,
        title=lesson.title,
        teacher=lesson.teacher,
        start=instant(lesson.start),
        end=None if lesson.end is None else instant(lesson.end),
        how=lesson.how,
    )


class Reports:
    """Made when they are asked for."""

    def __init__(
        self,
        repository: LessonRepository,
        summaries: Summaries,
        checkins: CheckIns,
        attentive: Sequence[str],
    ) -> None:
        self._repository = repository
        self._summaries = summaries
        self._checkins = checkins
        self._attentive = list(attentive)

    def of(self, lesson: Lesson, may: Callable[[Lesson], bool]) -> LessonReport:
        """`may` says of every lesson that it is compared with whether the reader may see it."""
        summary = self._summaries.of(lesson)
        markers = [
            MarkerOut(at=instant(m.at), text=m.text) for m in self._repository.markers(lesson)
        ]
        attentive = self._ratio(summary)
        return LessonReport(
            **dict(lesson_out(lesson)),
            notes=lesson.notes,
            summary=summary,
            markers=markers,
            checkins=[
                RoundOut(start=instant(r.start), answers=r.answers, counts=r.counts)
                for r in self._checkins.rounds(lesson)
            ],
            attentive=attentive,
            attentive_labels=self._attentive,
            earlier=[self.comparison(one) for one in self._repository.earlier(lesson) if may(one)],
            figures=figures(summary, attentive, self._attentive),
            findings=findings(summary.slots, [(one.at, one.text) for one in markers]),
        )

    def comparison(self, lesson: Lesson) -> EarlierLesson:
        """A lesson as others are compared with it."""
        summary = self._summaries.of(lesson)
        attentive = self._ratio(summary)
        return EarlierLesson(
            id=lesson.id,
            start=instant(lesson.start),
            faces=summary.faces,
            counts=summary.counts,
            attentive=attentive,
            figures=figures(summary, attentive, self._attentive),
        )

    def _ratio(self, summary: Summary) -> float | None:
        """Of the shares that the page shows, where there are any."""
        values = {label: share.value for label, share in summary.shares.items()}
        return ratio(values or summary.counts, self._attentive)


def _columns(report: LessonReport) -> tuple[list[str], list[list[object]]]:
    """One row for each slot: times, faces, why withheld, mean counts, markers that fell in it."""
    labels = list(dict.fromkeys(label for s in report.summary.slots for label in s.counts or {}))
    header = ["start", "seconds", "faces", "withheld", *labels, "markers"]
    rows: list[list[object]] = []
    for slot in report.summary.slots:
        inside = [
            marker.text
            for marker in report.markers
            if 0 <= (marker.at - slot.start).total_seconds() < slot.seconds
        ]
        counts = [
            None if slot.counts is None else round(slot.counts.get(name, 0.0), 3) for name in labels
        ]
        cells: list[object] = [rfc3339(slot.start), slot.seconds, slot.faces, slot.withheld]
        rows.append([*cells, *counts, "; ".join(inside)])
    return header, rows


def as_csv(report: LessonReport) -> str:
    header, rows = _columns(report)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        cells = [_no_formula(cell) if isinstance(cell, str) else cell for cell in row]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue()


def figures_csv(report: LessonReport) -> str:
    """The numbers of the page, as they are written there."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["figure", "label", "value", "low", "high"])
    for one in report.figures:
        row = [one.figure, _no_formula(one.label or ""), one.value, one.low, one.high]
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue()


def _no_formula(cell: str) -> str:
    """What a spreadsheet would take for a formula is kept a text; also behind a separator, which
    in some languages is a semicolon whatever the quotes say."""
    return FORMULA.sub(r"\1'", cell)


def as_parquet(report: LessonReport) -> bytes:
    """Raises UserError where the package for it is missing."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UserError(
            "pyarrow is missing", "Parquet", "pip install 'roommood[parquet]'"
        ) from None
    header, rows = _columns(report)
    texts = {"start", "withheld", "markers"}
    columns = {
        name: pa.array(
            [row[at] for row in rows], type=pa.string() if name in texts else pa.float64()
        )
        for at, name in enumerate(header)
    }
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()
