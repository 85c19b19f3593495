"""Calendars at addresses, from a real server with TLS: every fault in words, the last good copy."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from collector.cli import collector
from collector.config import CollectorSettings, SchoolSettings
from collector.lessons.timetable import timetable_of
from edge.cli import agent
from edge.common import download as downloading
from edge.common.address import MASK
from edge.common.calendar_sources import COPIES, CalendarFetcher, WebCalendar
from edge.common.errors import Problem
from edge.common.places import RoomPlace
from edge.common.settings import load, show
from edge.config import AgentSettings
from edge.permission.schedule import Schedule
from edge.permission.schedule_settings import ScheduleSettings
from tests.free import free_port, wait
from tests.publisher import Answer, Publisher

LESSON = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//school//timetable//EN
BEGIN:VEVENT
UID:1@school
DTSTAMP:20260901T000000Z
DTSTART:20260302T081500Z
DTEND:20260302T090000Z
SUMMARY:Optics
LOCATION:R101
END:VEVENT
END:VCALENDAR
"""
WITHOUT = b"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//school//EN\nEND:VCALENDAR\n"
DURING = datetime(2026, 3, 2, 8, 30, tzinfo=timezone.utc)


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    folder = tmp_path / "web"
    folder.mkdir()
    server = Publisher(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))  # as a school adds its authority
    yield server
    server.stop()


def schedule(url: str, folder: Path, *, keeps: bool = True) -> Schedule:
    settings = ScheduleSettings.model_validate({"timezone": "UTC", "calendar": url})
    return Schedule(settings, RoomPlace("school", "r101"), folder, keeps=keeps)


def fetch(of: Schedule) -> None:
    for one, check in of.web_sources:
        one.fetch(check)


def test_a_calendar_is_fetched_kept_and_asked_for_again_with_its_tag(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish(LESSON, etag='"7"', modified="Mon, 02 Mar 2026 06:00:00 GMT")
    timetable = schedule(f"{publisher.url}/secret-42/basic.ics", tmp_path)
    assert (
        timetable.close_reason(DURING, is_synced=True) == "schedule"
    )  # nothing is known yet: nothing opens
    fetch(timetable)
    assert timetable.close_reason(DURING, is_synced=True) is None
    fetch(timetable)
    headers = publisher.requests[-1]
    assert headers["if-none-match"] == '"7"'
    assert headers["if-modified-since"] == "Mon, 02 Mar 2026 06:00:00 GMT"
    publisher.publish(WITHOUT, etag='"8"')
    fetch(timetable)
    assert timetable.close_reason(DURING, is_synced=True) == "schedule"


def test_the_last_good_copy_outlives_a_restart(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(LESSON)
    url = f"{publisher.url}/a.ics"
    fetch(schedule(url, tmp_path))
    again = schedule(url, tmp_path)
    assert again.close_reason(DURING, is_synced=True) is None  # before anybody was asked
    fetch(again)
    assert publisher.requests[-1]["if-none-match"] == '"1"'
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_file()} == {0o600}


def test_a_copy_whose_notes_are_gone_or_wrong_is_fetched_anew(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish(LESSON)
    timetable = schedule(f"{publisher.url}/a.ics", tmp_path)
    fetch(timetable)
    for notes in ("", "[]", '{"etag": 1}', "\x00"):
        for path in tmp_path.glob("*.json"):
            path.write_text(notes)
        again = schedule(f"{publisher.url}/a.ics", tmp_path)
        fetch(again)
        assert "if-none-match" not in publisher.requests[-1]
        assert again.close_reason(DURING, is_synced=True) is None


PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"

FAULTS: dict[str, tuple[Answer, str]] = {
    "an empty body": ((200, {}, b""), "sends nothing"),
    "blank lines": ((200, {}, b"\r\n \r\n"), "sends nothing"),
    "a sign-in page": ((200, {"Content-Type": "text/html"}, PAGE), "sends a web page.*sign in"),
    "a page with a mark": ((200, {}, b"\xef\xbb\xbf\n<html lang='de'>"), "sends a web page"),
    "no calendar there": ((404, {}, b"no"), "has no such calendar.*copy its address again"),
    "gone": ((410, {}, b""), "has no such calendar any more"),
    "a password is wanted": ((401, {}, b""), "asks for a name and password"),
    "forbidden": ((403, {}, PAGE), "does not let us read it"),
    "too many": ((429, {}, b""), "wants fewer requests"),
    "a fault of the server": ((503, {}, PAGE), "answers 503"),
    "not modified, though nothing is known": ((304, {}, b""), "answers 304"),
    "half a calendar": ((200, {}, LESSON[:150]), "ends in the middle|not an iCalendar"),
    "other text": ((200, {}, b"hello"), "not an iCalendar file"),
    "fewer bytes than said": (
        (200, {"Content-Length": str(len(LESSON) + 50)}, LESSON),
        "breaks off in the middle",
    ),
    "to where others read along": (
        (302, {"Location": "http://127.0.0.1/a.ics"}, b""),
        "leads on to http://127.0.0.1, which is not encrypted",
    ),
    "to a file": ((302, {"Location": "file:///etc/passwd"}, b""), "leads on to file://"),
    "round and round": ((302, {"Location": "/a.ics"}, b""), "leads on and on"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("before", [True, False], ids=["with a copy", "without"])
def test_each_fault_is_said_in_words_and_the_copy_stays(
    publisher: Publisher, tmp_path: Path, fault: str, before: bool
) -> None:
    answer, words = FAULTS[fault]
    timetable = schedule(f"{publisher.url}/secret-42/a.ics", tmp_path)
    if before:
        publisher.publish(LESSON, etag="")
        fetch(timetable)
    publisher.answer = lambda _path, _headers: answer
    with pytest.raises(Problem, match=words) as problem:
        fetch(timetable)
    assert "secret-42" not in str(problem.value)
    assert problem.value.remedy
    assert timetable.close_reason(DURING, is_synced=True) == (None if before else "schedule")
    assert schedule(f"{publisher.url}/secret-42/a.ics", tmp_path).close_reason(
        DURING, is_synced=True
    ) == (None if before else "schedule")


def test_a_redirect_is_followed_to_https_without_the_password(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()

    def answer(path: str, _headers: dict[str, str]) -> Answer:
        location = {"Location": f"{publisher.url}/new.ics"}
        return (200, {}, LESSON) if path == "/new.ics" else (301, location, b"")

    publisher.answer = answer
    host = publisher.url.removeprefix("https://")
    timetable = schedule(f"https://tess:p%40ss/@{host}/old.ics", tmp_path)
    fetch(timetable)
    assert timetable.close_reason(DURING, is_synced=True) is None
    assert publisher.requests[0]["authorization"] == "Basic dGVzczpwQHNzLw=="
    assert "authorization" not in publisher.requests[1]


@pytest.mark.parametrize("wrong", ["unknown authority", "another name", "expired"])
def test_a_certificate_that_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    server = Publisher(
        tmp_path,
        days=-1 if wrong == "expired" else 2,
        host="127.0.0.2" if wrong == "another name" else "127.0.0.1",
    )
    if wrong != "unknown authority":
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.publish(LESSON)
    with pytest.raises(Problem, match=r"its certificate is not trusted.*clock"):
        fetch(schedule(f"{server.url}/a.ics", tmp_path / "copies"))
    assert server.requests == []
    server.stop()


def test_a_server_that_is_not_there_or_not_known(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="nothing accepts connections there"):
        fetch(schedule(f"https://127.0.0.1:{free_port()}/a.ics", tmp_path))
    with pytest.raises(Problem, match="this name is not known here"):
        fetch(schedule("https://no-such-host.invalid/a.ics", tmp_path))


def test_time_and_size_are_bounded(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(LESSON)
    timetable = schedule(f"{publisher.url}/a.ics", tmp_path)
    monkeypatch.setattr(downloading, "LARGEST", 100)
    with pytest.raises(Problem, match="sends more than"):
        fetch(timetable)
    monkeypatch.setattr(downloading, "LARGEST", 10_000)
    monkeypatch.setattr(downloading, "LONGEST_S", -1.0)
    with pytest.raises(Problem, match="is not through after"):
        fetch(timetable)
    monkeypatch.setattr(downloading, "WAITS_S", 0.2)

    def never(_path: str, _headers: dict[str, str]) -> Answer:
        wait(lambda: is_over, 60)
        return 200, {}, b""

    is_over = False
    publisher.answer = never
    with pytest.raises(Problem, match="no answer"):
        fetch(timetable)
    is_over = True


def test_the_worker_says_a_failure_once_and_goes_on(
    publisher: Publisher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.answer = lambda _path, _headers: (404, {}, b"")
    timetable = schedule(f"{publisher.url}/a.ics", tmp_path)
    worker = CalendarFetcher(timetable.web_sources)
    with caplog.at_level(logging.INFO):
        worker.start()
        wait(lambda: len(publisher.requests) > 1)
        assert "has no such calendar" in worker.problem()
        publisher.publish(LESSON)
        worker.wake()
        wait(lambda: timetable.close_reason(DURING, is_synced=True) is None)
        wait(lambda: not worker.problem())
        worker.stop()
    assert caplog.text.count("has no such calendar") == 1


def test_a_disk_that_takes_no_copy_costs_no_lesson(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(LESSON)
    (tmp_path / "file").write_text("")
    timetable = schedule(f"{publisher.url}/a.ics", tmp_path / "file" / "below")
    fetch(timetable)
    assert timetable.close_reason(DURING, is_synced=True) is None


@pytest.mark.parametrize(
    "content", [LESSON, b"day,start,end,room,title\nmon,8:15,9:00,R101,Optics\n"]
)
def test_a_timetable_at_an_address(publisher: Publisher, tmp_path: Path, content: bytes) -> None:
    settings = CollectorSettings(
        state=tmp_path,
        school=SchoolSettings.model_validate({"timetable": f"{publisher.url}/t?key=secret-42"}),
    )
    table = timetable_of(settings)
    assert table is not None
    assert table.now(DURING) == []
    publisher.publish(content)
    for one, check in table.web_sources:
        one.fetch(check)
    assert [(one.room, one.title) for one in table.now(DURING)] == [("r101", "Optics")]
    publisher.answer = lambda _path, _headers: (200, {}, PAGE)
    for one, check in table.web_sources:
        with pytest.raises(Problem, match="web page"):
            one.fetch(check)
    again = timetable_of(settings)
    assert again is not None
    assert len(again.now(DURING)) == 1


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("https://cal.example/a.ics", "https://cal.example/a.ics"),
        ("webcal://cal.example/a.ics", "https://cal.example/a.ics"),
        ("HTTPS://cal.example:8443/a?k=[#%", "https://cal.example:8443/a?k=[#%"),
    ],
)
def test_addresses_in_settings(text: str, means: str) -> None:
    read = ScheduleSettings.model_validate({"timezone": "UTC", "calendar": text}).calendar
    assert isinstance(read, WebCalendar)
    assert read.get_secret_value() == means


@pytest.mark.parametrize(
    "text", ["http://cal.example/a.ics", "ftp://x/y", "https://", "https://a b/"]
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="https"):
        ScheduleSettings.model_validate({"timezone": "UTC", "calendar": text})


AGENT = "site: school\nroom: r101\nstate: s\nschedule: {timezone: UTC, calendar: '%s'}\n"


def test_an_address_is_shown_by_its_host_alone_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(AGENT % "https://u:hunter2@cal.example/private-hunter2/a.ics?k=hunter2")
    text = show(load(AgentSettings, path))
    assert "hunter2" not in text
    assert "https://cal.example/**********" in text
    path.write_text(text)
    assert show(load(AgentSettings, path)) == text
    path.write_text(AGENT % "plans/a.ics")
    settings = load(AgentSettings, path)
    assert settings.schedule is not None
    assert settings.schedule.calendar == tmp_path / "plans" / "a.ics"


def test_the_checks_say_how_it_is(publisher: Publisher, tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(AGENT % f"{publisher.url}/secret-42/a.ics")
    command = ["schedule", "--config", str(path), "--date", "2026-03-02", "--json"]
    publisher.publish(LESSON)
    schedule_run = CliRunner().invoke(agent, command)
    assert json.loads(schedule_run.stdout)["open"][0]["start"] == "2026-03-02T08:15:00+00:00"
    assert not (tmp_path / "s" / COPIES).exists()  # whoever looks leaves nothing
    publisher.answer = lambda _path, _headers: (404, {}, b"")
    schedule_run = CliRunner().invoke(agent, command)
    assert json.loads(schedule_run.stdout)["open"] == []
    assert "there is no copy of earlier" in schedule_run.stderr
    publisher.publish(LESSON)
    fetch(schedule(f"{publisher.url}/secret-42/a.ics", tmp_path / "s" / COPIES))
    publisher.answer = lambda _path, _headers: (404, {}, b"")
    check = CliRunner().invoke(agent, ["check", "--config", str(path)])
    assert "has no such calendar" in check.stdout
    assert "the copy of" in check.stdout
    doctor = CliRunner().invoke(agent, ["doctor", "--config", str(path), "--json"])
    state = [json.loads(line) for line in doctor.stdout.splitlines() if '"calendars"' in line]
    assert [one["state"] for one in state] == ["warning"]
    assert "secret-42" not in check.output + doctor.output + schedule_run.output


def test_the_collectors_check_says_it(publisher: Publisher, tmp_path: Path) -> None:
    path = tmp_path / "collector.yaml"
    path.write_text(
        f"database: 'sqlite:///{tmp_path}/c.sqlite'\n"
        f"school: {{timetable: '{publisher.url}/t.ics'}}\n"
    )
    publisher.answer = lambda _path, _headers: (200, {}, PAGE)
    check = CliRunner().invoke(collector, ["check", "--config", str(path)], standalone_mode=False)
    assert check.return_value == 1
    assert "sends a web page" in check.stdout
    publisher.publish(LESSON)
    check = CliRunner().invoke(collector, ["check", "--config", str(path)])
    assert "/**********: ok" in check.stdout
    timetable_run = CliRunner().invoke(
        collector, ["timetable", "--config", str(path), "--date", "2026-03-02", "--json"]
    )
    assert [one["room"] for one in json.loads(timetable_run.stdout)["lessons"]] == ["r101"]


@pytest.mark.parametrize(
    ("address", "sight"),
    [
        ("https://h.example/ical/kim@h.example/private-hunter2/x.ics", "https://h.example/"),
        ("https://h.example?token=a@hunter2", "https://h.example/"),
        ("https://h.example:8443#a@hunter2", "https://h.example:8443/"),
        ("https://kim:hunter2@h.example/x", "https://h.example/"),
        ("https://kim:hunter2/@h.example/x", "https://"),
        ("https://kim:hun@ter2@h.example/x?y@z", "https://"),
        ("https://[::1]:8443/hunter2", "https://[::1]:8443/"),
    ],
)
def test_of_an_address_nothing_but_its_host_is_shown(address: str, sight: str) -> None:
    assert str(WebCalendar(address)) == f"{sight}{MASK}"
