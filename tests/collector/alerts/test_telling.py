"""Who is told what, and when: by cause, once, and by a real mail server."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from collector.storage.tables import deliveries, mails
from tests.collector.alerts.conftest import Alerts


def test_a_reboot_wakes_nobody(alerts: Alerts) -> None:
    alerts.wrong.add("offline", "r101")
    alerts.minutes(8)
    alerts.wrong.clear()
    alerts.minutes(60)
    assert alerts.server.subjects == []


def test_one_mail_for_one_cause_and_one_when_it_is_over(alerts: Alerts) -> None:
    rooms = [f"r{number}" for number in range(500)]
    alerts.wrong.add("offline", *rooms[:300])
    alerts.minutes(2)
    alerts.wrong.add("offline", *rooms)  # the others follow within moments
    alerts.minutes(60)
    (mail,) = alerts.server.mails
    assert str(mail["subject"]).startswith("roommood school: 500 devices (")
    body = mail.get_content()
    assert "and 480 more" in body
    assert "https://mood.school.example/devices?cause=offline" in body
    alerts.wrong.clear()
    alerts.minutes(60)
    _, over = alerts.server.mails
    assert "Over: 500 devices" in str(over["subject"])
    assert over["in-reply-to"] == mail["message-id"]


def test_a_device_that_comes_and_goes_is_one_matter(alerts: Alerts) -> None:
    alerts.wrong.add("offline", "r101")
    alerts.minutes(11)
    for _ in range(20):
        alerts.wrong.clear()
        alerts.minutes(4)
        alerts.wrong.add("offline", "r101")
        alerts.minutes(4)
    assert len(alerts.server.mails) == 1


def test_where_most_are_back_that_is_told_and_which_is_not(alerts: Alerts) -> None:
    alerts.wrong.add("offline", "r101", "r102", "r103")
    alerts.minutes(11)
    alerts.wrong.clear()
    alerts.wrong.add("offline", "r103")
    alerts.minutes(50)
    assert len(alerts.server.mails) == 1
    alerts.minutes(20)
    assert "Still wrong: r103" in alerts.server.mails[1].get_content()
    alerts.wrong.clear()
    alerts.minutes(20)
    assert [subject.count("Over") for subject in alerts.server.subjects] == [0, 1, 1]


@pytest.mark.parametrize("when", range(1, 40, 3))
def test_a_restart_at_any_moment_tells_nothing_twice(alerts: Alerts, when: int) -> None:
    for minute in range(45):
        if minute == 5:
            alerts.wrong.add("offline", "r101")
        if minute == 25:
            alerts.wrong.clear()
        if minute == when:
            alerts.restart()
        alerts.minutes(1)
    assert len(alerts.server.mails) == 2
    with alerts.engine.connect() as connection:
        bodies = [
            json.loads(text) for text in connection.execute(select(deliveries.c.body)).scalars()
        ]
    assert [body["type"] for body in bodies] == ["alert_began", "alert_ended"]
    data = bodies[1]["data"]
    assert (data["cause"], data["site"], data["rooms"]) == ("offline", "school", ["r101"])
    assert data["since"] < data["until"]


def test_quiet_hours_keep_it_until_the_morning(alerts: Alerts) -> None:
    alerts.restart(quiet={"start": "20:00", "end": "06:30"})
    alerts.minutes(9 * 60, 10)  # 21:00
    alerts.wrong.add("offline", "r101")
    alerts.minutes(60, 5)
    alerts.wrong.add("hot", "r102")
    alerts.minutes(60, 5)
    alerts.wrong.clear()
    alerts.wrong.add("offline", "r101")
    alerts.minutes(7 * 60 + 20, 5)  # 06:20
    assert alerts.server.mails == []
    alerts.restart()
    alerts.minutes(20, 1)
    first, second = alerts.server.subjects
    assert first == "roommood school: r101: offline"
    assert second == "roommood school: Over: r102: too hot, or too little power"
    alerts.minutes(600, 10)
    assert len(alerts.server.mails) == 2


def test_what_came_and_went_in_quiet_hours_can_stay_untold(alerts: Alerts) -> None:
    alerts.restart(quiet={"start": "11:00", "end": "14:00", "tell_past": "no"})
    alerts.wrong.add("offline", "r101")
    alerts.minutes(30)
    alerts.wrong.clear()
    alerts.minutes(300, 5)
    assert alerts.server.mails == []
    alerts.wrong.add("offline", "r101")
    alerts.minutes(20)
    assert len(alerts.server.mails) == 1


def test_no_flood_and_the_last_mail_says_so(alerts: Alerts) -> None:
    alerts.restart(mails_per_hour=4, after_minutes=1)
    for number in range(50):
        alerts.wrong.add("offline", f"r{number}")
        alerts.minutes(1)
    assert len(alerts.server.mails) == 4
    assert "last mail for now" in alerts.server.mails[3].get_content()
    alerts.minutes(300)
    assert len(alerts.server.mails) == 5, "and what was left, in one"
    text = "".join(alerts.server.texts)
    more = sum(map(int, re.findall(r"and (\d+) more", text)))
    assert text.count("/devices?text=r") + more == 50


def test_many_causes_at_once_are_one_mail(alerts: Alerts) -> None:
    for cause in ("offline", "hot", "disk", "waiting", "no_camera"):
        alerts.wrong.add(cause, f"r-{cause.replace('_', '-')}")
    alerts.minutes(30)
    (subject,) = alerts.server.subjects
    assert subject.startswith("roommood school: 5 messages: ")
    alerts.wrong.clear()
    alerts.minutes(30)
    assert alerts.server.subjects[1].startswith("roommood school: Over: 5 messages: ")


def test_the_digest_says_what_is_wrong_once_a_day_and_nothing_of_nothing(alerts: Alerts) -> None:
    alerts.restart(digest="07:00")
    alerts.minutes(24 * 60, 30)
    assert alerts.server.mails == [], "the first day's time had passed, and then nothing was wrong"
    alerts.wrong.add("disk", "r101")
    alerts.minutes(60, 5)
    for _ in range(3):
        alerts.restart()
        alerts.minutes(24 * 60, 30)
    subjects = alerts.server.subjects
    assert subjects[1:] == ["roommood: Daily summary: disk failing"] * 3
    alerts.restart(digest_always=True)
    alerts.wrong.clear()
    alerts.minutes(24 * 60, 30)
    assert alerts.server.subjects[-1] == "roommood: Daily summary: no problems"


def test_a_sites_people_are_told_of_their_site_alone(alerts: Alerts) -> None:
    email = alerts.server.settings(sites={"north": ["kim@north.example", "lee@north.example"]})
    alerts.restart(email=email, digest="07:00")
    alerts.wrong.add("offline", "r1", site="north")
    alerts.wrong.add("hot", "r2", site="south")
    alerts.minutes(20)
    to = [
        (tuple(one.rcpt_tos), subject)
        for one, subject in zip(alerts.server.envelopes, alerts.server.subjects, strict=True)
    ]
    north = ("kim@north.example", "lee@north.example")
    assert [who for who, subject in to if "r1" in subject] == [("it@school.example",), north]
    assert [who for who, subject in to if "r2" in subject] == [("it@school.example",)]
    alerts.minutes(24 * 60, 30)
    digest = next(
        mail
        for mail in alerts.server.mails
        if "kim" in str(mail["to"]) and "Daily" in str(mail["subject"])
    )
    assert "r1" in digest.get_content()
    assert "r2" not in digest.get_content()


def test_a_mail_server_that_is_down_gets_them_later_as_one(alerts: Alerts) -> None:
    alerts.server.stop()
    alerts.restart(after_minutes=1)
    for number in range(5):
        alerts.wrong.add("offline", f"r{number}")
        alerts.minutes(5)
    problem = alerts.problem
    assert problem is not None
    assert "nothing accepts connections there" in str(problem)
    assert problem.remedy
    alerts.restart()
    alerts.server.start()
    alerts.minutes(30)
    (mail,) = alerts.server.mails
    assert str(mail["subject"]) == "roommood: 5 messages that could not be sent earlier"
    assert all(f"text=r{number}\n" in alerts.server.texts[0] for number in range(5))
    assert alerts.problem is None


def test_a_mail_that_is_put_off_comes_and_the_others_do_not_wait(alerts: Alerts) -> None:
    alerts.server.replies = ["451 greylisted"]
    alerts.wrong.add("offline", "r101")
    alerts.wrong.add("hot", "r102")
    alerts.minutes(10.5, 0.5)
    assert (
        alerts.server.subjects == ["roommood school: r102: too hot, or too little power"]
        or len(alerts.server.subjects) == 1
    )
    alerts.minutes(20)
    assert len(alerts.server.mails) == 2


def test_a_recipient_who_is_refused_does_not_keep_it_from_the_others(alerts: Alerts) -> None:
    alerts.server.unknown_people = {"gone@school.example"}
    alerts.restart(email=alerts.server.settings(to=["gone@school.example", "it@school.example"]))
    alerts.wrong.add("offline", "r101")
    alerts.minutes(60)
    assert [one.rcpt_tos for one in alerts.server.envelopes] == [["it@school.example"]]
    assert "1 of 2 recipients" in str(alerts.problem)
    assert "gone" not in str(alerts.problem), "health is for everybody"


def test_what_was_sent_leaves_no_text_behind(alerts: Alerts) -> None:
    alerts.wrong.add("offline", "r101")
    alerts.minutes(11)
    with alerts.engine.connect() as connection:
        rows = connection.execute(select(mails)).all()
    assert [(row.subject, row.body) for row in rows] == [("", "")]


def test_a_title_cannot_add_a_header(alerts: Alerts) -> None:
    alerts.wrong.add("hot", "r7", about="83 °C\r\nBcc: all@school.example\x1b[2J")
    alerts.minutes(11)
    (mail,) = alerts.server.mails
    assert mail["bcc"] is None
    assert "Optics Bcc: all@school.example" in str(mail["subject"])
    assert "\x1b" not in mail.get_content()
    assert alerts.server.envelopes[0].rcpt_tos == ["it@school.example"]
