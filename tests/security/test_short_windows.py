"""Whoever pauses and resumes does not choose the moments of which a room is told."""

from __future__ import annotations

import pytest

from edge.agent import Agent
from edge.config import AgentSettings
from edge.window.reading import FaceReading
from edge.window.tally import Tally
from tests.free import free_port

WINDOW_S = 15.0


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """One that reads expressions, of a simulated class."""
    settings = {
        "site": "school",
        "room": "r101",
        "state": tmp_path_factory.mktemp("short"),
        "window_seconds": WINDOW_S,
        "broker": {"port": free_port()},
    }
    one = Agent(AgentSettings.model_validate(settings))
    assert one._mode.name == "emotion"
    return one


def class_of(agent: Agent, faces: int) -> Tally:
    tally = Tally(agent._labels, agent._usual)
    happy = bytes(255 if label == "happy" else 0 for label in agent._labels)
    neutral = bytes(255 if label == "neutral" else 0 for label in agent._labels)
    half = faces // 2
    tally.add(
        [FaceReading("happy", happy)] * half + [FaceReading("neutral", neutral)] * (faces - half)
    )
    return tally


@pytest.mark.parametrize("seconds", [0.0, 0.4, 7.0, 7.49])
def test_a_window_that_was_cut_to_less_than_half_says_no_expressions(
    agent: Agent, seconds: float
) -> None:
    disclosure = agent._say(class_of(agent, 24), None, seconds)
    assert (disclosure.faces, disclosure.counts, disclosure.withheld) == (
        24,
        None,
        "headcount_only",
    )
    few = agent._say(class_of(agent, 4), None, seconds)
    assert (few.faces, few.counts, few.withheld) == (None, None, "few_faces")


def test_one_of_half_its_length_or_more_does(agent: Agent) -> None:
    for seconds in (7.5, WINDOW_S):
        assert agent._say(class_of(agent, 24), None, seconds).counts
