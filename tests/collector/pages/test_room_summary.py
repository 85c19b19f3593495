from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from collector.lessons.repository import Lesson
from collector.live.history import KEPT_S, History
from collector.live.rooms import RoomState, RoomView
from collector.live.shares import shares
from collector.pages.room_summary import summarize
from edge.protocol.messages import Mood
from edge.vision.pack import open_pack
from tests.conftest import mood

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
CALM = {"happy": 2, "surprise": 3, "neutral": 15}
LIVELY = {"happy": 3, "surprise": 13, "neutral": 4}


def windows(minutes: float, counts: dict[str, int], until: float = 0) -> list[Mood]:
    """Windows of 15 s that end `until` minutes ago."""
    end = NOW - timedelta(minutes=until)
    count = int(minutes * 4)
    return [
        mood(
            seq=int((end.timestamp() - 15 * n) // 15),
            start=end - timedelta(seconds=15 * n),
            faces=sum(counts.values()),
            counts={"uncertain": 0, **counts},
        )
        for n in range(count, 0, -1)
    ]


def look(moods: list[Mood], state: RoomState = "live", lesson: Lesson | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN201  # a Glance
    history = History()
    for one in moods:
        history.add(one, NOW.timestamp())
    view = RoomView("school", "r101", state, moods[-1] if moods else None, None)
    return summarize(view, history.all(), lesson, now=NOW.timestamp())


def test_more_surprise_than_ten_minutes_ago() -> None:
    summary = look([*windows(20, CALM, until=5), *windows(5, LIVELY)])
    assert summary.change == ("surprise", "more")
    assert summary.faces == 20


def test_what_may_be_chance_is_no_news() -> None:
    one_more = {"happy": 3, "surprise": 3, "neutral": 14}
    summary = look([*windows(20, CALM, until=5), *windows(5, one_more)])
    assert summary.change is None
    assert summary.has_comparison


def test_few_faces_need_a_larger_change() -> None:
    before, after = {"happy": 3, "neutral": 5}, {"happy": 5, "neutral": 3}
    assert look([*windows(20, before, until=5), *windows(5, after)]).change is None


def test_too_early_to_compare() -> None:
    summary = look(windows(3, CALM))
    assert (summary.change, summary.has_comparison) == (None, False)
    assert len(summary.rows) == 3


def test_a_lesson_has_an_average_of_its_own() -> None:
    start = (NOW - timedelta(minutes=10)).timestamp()
    lesson = Lesson(
        1, "school", "r101", "Optics", None, start, None, None, "button", "", None, None
    )
    moods = [*windows(30, LIVELY, until=10), *windows(10, CALM)]
    rows = {row.label: row for row in look(moods, lesson=lesson).rows}
    assert rows["neutral"].lesson == pytest.approx(15 / 20)
    whole = {row.label: row for row in look(moods).rows}
    assert whole["neutral"].lesson == pytest.approx((15 + 3 * 4) / 80)


@pytest.mark.parametrize("state", ["paused", "offline", "waiting"])
def test_what_is_not_known_is_not_shown(state: RoomState) -> None:
    summary = look(windows(20, CALM), state)
    assert (summary.faces, summary.rows, summary.change) == (None, [], None)


def test_expressions_that_are_not_told_are_counted_as_such() -> None:
    summary = look(windows(5, {"happy": 6, "neutral": 8, "other": 3, "uncertain": 3}))
    assert summary.untold == pytest.approx(6)
    assert [row.label for row in summary.rows] == ["happy", "neutral"]


def test_low_coverage_is_said() -> None:
    assert look(windows(28, CALM)[::2]).coverage == pytest.approx(0.5, abs=0.05)
    assert look(windows(28, CALM)).coverage is None


def test_a_device_whose_clock_is_wrong_is_read_by_its_own_clock() -> None:
    moods = [
        one.model_copy(update={"start": one.start + timedelta(days=1)}) for one in windows(20, CALM)
    ]
    assert len(look(moods).rows) == 3


def test_history_forgets_and_keeps_order() -> None:
    history = History()
    for one in reversed(windows(240, CALM)):
        history.add(one, NOW.timestamp())
    starts = [window.start for window in history.all()]
    assert starts == sorted(starts)
    assert starts[-1] - starts[0] <= KEPT_S
    assert starts[-1] - starts[0] > KEPT_S - 30


def test_the_models_known_errors_are_taken_out_where_it_is_known() -> None:
    pack, _ = open_pack("fer7")
    counts = dict.fromkeys(pack.labels, 0.0) | {"happy": 6.0, "neutral": 14.0}
    estimate = shares(counts, 20, pack.digest)
    assert all(share.corrected for share in estimate.values())
    assert sum(share.value for share in estimate.values()) == pytest.approx(1)
    unknown = shares(counts, 20, "0123456789ab")
    assert unknown["happy"].value == pytest.approx(0.3)
    assert (unknown["happy"].low, unknown["happy"].high) == pytest.approx((0.145, 0.519), abs=0.01)
    assert shares({"uncertain": 5.0}, 5, "0123456789ab") == {}
