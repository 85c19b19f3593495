from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from collector import timeline
from collector.pages import label_order, tone
from tests.conftest import mood

END = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
SLOT = timeline.SPAN / timeline.SLOTS


def test_windows_of_one_slot_are_averaged() -> None:
    start = END - timedelta(minutes=10)
    one = mood(start=start, counts={"happy": 4, "uncertain": 4}, faces=8)
    two = mood(start=start + SLOT / 2, counts={"happy": 8, "uncertain": 0}, faces=8)
    (column,) = timeline.columns([one, two], END)
    assert column.counts == {"happy": 6.0, "uncertain": 2.0}
    assert column.withheld is None


def test_a_window_stays_in_its_slot_as_time_goes_on() -> None:
    window = mood(start=END - timedelta(minutes=10, seconds=7))
    places = [
        timeline.columns([window], END + timedelta(seconds=s))[0].x for s in (0, 5, 10, 15, 19)
    ]
    assert len(set(places)) == 1


def test_old_and_future_windows_are_left_out() -> None:
    far = [mood(start=END - timedelta(hours=1)), mood(start=END + timedelta(hours=1))]
    assert timeline.columns(far, END) == []


def test_withheld_slots_are_told_as_such() -> None:
    hidden = mood(start=END - timedelta(minutes=1), faces=None, counts=None, withheld="paused")
    drawn = timeline.draw([hidden], [], END)
    assert [why for _, why in drawn.hidden] == ["paused"]
    assert drawn.paths == []


def test_columns_are_stacked_to_the_number_of_faces() -> None:
    window = mood(start=END - timedelta(minutes=1))
    drawn = timeline.draw([window], ["happy", "neutral", "uncertain"], END)
    assert drawn.most == 15
    heights = {
        label: float(re.findall(r"v([\d.]+)", path)[0]) / timeline.HEIGHT * drawn.most
        for label, path in drawn.paths
    }
    assert {label: round(height) for label, height in heights.items()} == window.counts
    tops = [float(path.split()[1].split("h")[0]) for _, path in drawn.paths]
    assert tops == sorted(tops, reverse=True)


def test_labels_of_any_pack_have_an_order_and_a_tone() -> None:
    own = mood(counts={"bored": 4, "uncertain": 3, "engaged": 5}, faces=12)
    order = label_order([own, mood(counts={"other": 6, "happy": 6, "uncertain": 0})])
    assert order == ["happy", "bored", "engaged", "other", "uncertain"]
    assert len({tone(label, order) for label in order}) == 5
