from __future__ import annotations

from pathlib import Path

import pytest

from edge.run.thermal import FramePace, temperature, throttle_reasons


def zone(folder: Path, number: int, text: str) -> None:
    path = folder / f"thermal_zone{number}"
    path.mkdir()
    (path / "temp").write_text(text)


def test_the_hottest_zone_that_can_be_believed(tmp_path: Path) -> None:
    zone(tmp_path, 0, "51540\n")
    zone(tmp_path, 1, "48000\n")
    zone(tmp_path, 2, "-274000\n")
    zone(tmp_path, 3, "no number\n")
    assert temperature(tmp_path) == 51.5


def test_a_machine_without_sensors_says_nothing(tmp_path: Path) -> None:
    assert temperature(tmp_path) is None
    assert throttle_reasons(tmp_path / "missing", "no-such-vcgencmd") == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0\n", ()),
        ("50005\n", ("under_voltage", "throttled")),
        ("a\n", ("capped", "soft_limit")),
        ("50000\n", ()),  # it was, since the start, and is no more
        ("what\n", ()),
    ],
)
def test_what_the_firmware_says(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    (tmp_path / "get_throttled").write_text(text)
    assert throttle_reasons(tmp_path / "get_throttled") == names


def test_what_vcgencmd_says(tmp_path: Path) -> None:
    command = tmp_path / "vcgencmd"
    command.write_text("#!/bin/sh\necho throttled=0x4\n")
    command.chmod(0o755)
    assert throttle_reasons(tmp_path / "missing", str(command)) == ("throttled",)
    command.write_text("#!/bin/sh\nexit 1\n")
    assert throttle_reasons(tmp_path / "missing", str(command)) == ()


def test_a_machine_that_is_too_hot_looks_at_half_the_frames(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hot: list[str] = []
    monkeypatch.setattr("edge.run.thermal.throttle_reasons", lambda: tuple(hot))
    pace = FramePace(4)
    assert pace.period_s() == 0.25
    hot.append("under_voltage")
    assert pace.period_s() == 0.25
    hot.append("throttled")
    assert pace.period_s() == pace.period_s() == 0.5
    hot.clear()
    assert pace.period_s() == 0.25
    lines = [record.message for record in caplog.records]
    assert lines == ["the machine is too hot: halving the frame rate", "the machine is cool again"]
