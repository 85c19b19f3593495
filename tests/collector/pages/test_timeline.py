from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from collector.live.history import History, WindowSummary
from collector.pages import timeline
from collector.pages.room_summary import label_order, tone
from edge.protocol.messages import Mood
from tests.conftest import mood

END = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
SLOT = timedelta(seconds=timeline.SPAN_S / timeline.SLOTS)


def summaries(*moods: Mood) -> list[WindowSummary]:
    history = History()
    for one in moods:
        history.add(one, END.timestamp() + 86_400)
    return history.all()


def test_windows_of_one_slot_are_averaged() -> None:
    start = END - timedelta(minutes=10)
    one = mood(start=start, counts={"happy": 4, "uncertain": 4}, faces=8)
    two = mood(start=start + SLOT / 2, counts={"happy": 8, "uncertain": 0}, faces=8)
    (column,) = timeline.recent(summaries(one, two), END.timestamp())
    assert column.counts == {"happy": 6.0, "uncertain": 2.0}
    assert column.withheld is None


def test_a_window_stays_in_its_slot_as_time_goes_on() -> None:
    window = mood(start=END - timedelta(minutes=10, seconds=7))
    ends = [(END + timedelta(seconds=s)).timestamp() for s in (0, 5, 10, 15, 19)]
    assert len({timeline.recent(summaries(window), end)[0].at for end in ends}) == 1


def test_old_and_future_windows_are_left_out() -> None:
    far = [mood(start=END - timedelta(hours=1)), mood(start=END + timedelta(hours=1))]
    assert timeline.recent(summaries(*far), END.timestamp()) == []


def test_withheld_slots_are_marked_and_old_windows_left_out() -> None:
    pause_window = mood(start=END - SLOT, faces=None, counts=None, withheld="paused")
    old = mood(start=END - timedelta(hours=2))
    columns = timeline.recent(summaries(old, pause_window), END.timestamp())
    picture = timeline.draw(columns, ["happy"])
    assert picture.paths == []
    assert [why for _, why in picture.hidden_rows] == ["paused"]


def test_columns_are_stacked_to_the_scale() -> None:
    window = mood(start=END - SLOT, faces=12, counts={"happy": 5, "neutral": 4, "uncertain": 3})
    columns = timeline.recent(summaries(window), END.timestamp())
    picture = timeline.draw(columns, ["happy", "neutral", "uncertain"])
    assert picture.most == 15
    heights = [float(re.findall(r"v([\d.]+)h", path)[0]) for _, path in picture.paths]
    assert [round(h / timeline.HEIGHT * 15) for h in heights] == [5, 4, 3]


def test_labels_of_a_pack_of_ones_own_come_after_the_known_and_before_the_vague() -> None:
    order = label_order(["uncertain", "bored", "neutral", "other", "happy"])
    assert order == ["happy", "neutral", "bored", "other", "uncertain"]
    assert tone("happy", order) == "tone-happy"
    assert tone("bored", order) == "tone-own-2"


def test_what_is_twelve_minutes_old_is_not_at_now() -> None:
    """Offline since then: its last column is where the clock says, and a gap follows."""
    now = END.timestamp()
    moods = [mood(seq=n, start=END - timedelta(minutes=20, seconds=-15 * n)) for n in range(32)]
    columns = timeline.recent(summaries(*moods), now)
    assert max(column.at for column in columns) <= 1 - 12 / 30
    gap = timeline.gaps(columns, timeline.SLOTS, since=columns[0].at)[-1]
    assert gap.why == "missing"
    assert gap.x + gap.width == pytest.approx(100, abs=0.1)
    assert gap.width == pytest.approx(96 * 12 / 30, abs=2)


def test_the_axis_has_whole_minutes() -> None:
    marks = timeline.ticks(END.timestamp() - 1800, END.timestamp())
    assert len(marks) >= 4
    assert all(at % 300 == 0 for _, at in marks)


def test_a_trend_is_said_of_what_shows() -> None:
    rising = [{"happy": 4.0, "surprise": 2.0 + n, "sad": 0.0} for n in range(8)]
    columns = [timeline.Column(n / 8, counts, None) for n, counts in enumerate(rising)]
    assert timeline.trend(columns, ("happy", "surprise", "sad")) == [
        ("happy", 4, 4),
        ("surprise", 2, 8),
    ]
    assert timeline.trend([], ("happy",)) == []
