"""docs/network.md names the ports, networks and settings that the program has."""

from __future__ import annotations

import inspect
import re

from pydantic import BaseModel

from collector.config import CollectorSettings, FleetSettings, WebSettings
from deploy.commands.site_init import SitePlan
from edge.config import AgentSettings, HealthSettings, KioskSettings
from tests.docs.documents import ROOT

PAGE = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]
OTHERS = {"53", "443", "465", "587", "25", "554"}
"""Of other people's servers."""


def test_every_port_is_the_programs_own() -> None:
    fields = inspect.signature(SitePlan).parameters
    plan = {name: fields[name].default for name in ("web_port", "broker_port", "local_port")}
    defaults = {
        *map(str, plan.values()),
        *(str(one.model_fields["port"].default) for one in (KioskSettings, HealthSettings)),
    }
    ports = {port for row in ROWS for port in re.findall(r"(?<![\d.])\d{2,4}(?![\d.])", row)}
    assert defaults <= ports
    assert ports - defaults <= OTHERS
    assert WebSettings.model_fields["port"].default == plan["web_port"]
    assert FleetSettings.model_fields["broker_port"].default == plan["broker_port"]


def test_every_setting_in_it_is_one() -> None:
    keys = [key for row in ROWS for key in re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)`", row)]
    assert len(keys) > 8
    for key in keys:
        assert any(_has(model, key) for model in (AgentSettings, CollectorSettings)), key


def test_the_networks_are_those_of_the_units() -> None:
    for unit in ("roommood-agent.service", "roommood-collector.service", "roommood-broker.service"):
        text = (ROOT / "systemd" / unit).read_text(encoding="utf-8")
        lines = re.findall(r"^IPAddressAllow=(.*)$", text, re.MULTILINE)
        networks = set(" ".join(lines).split()) - {"localhost"}
        (sentence,) = re.findall(r"reach private networks alone \((.*?)\)", PAGE)
        assert networks == set(sentence.split(", ")), unit


def _has(model: type[BaseModel], key: str) -> bool:
    """Whether a settings' model has a key, `a.b` being one of a section."""
    first, _, rest = key.partition(".")
    field = model.model_fields.get(first)
    if field is None or not rest:
        return field is not None
    sections = re.findall(r"\w+", str(field.annotation))
    return any(_has(section, rest) for section in _sections() if section.__name__ in sections)


def _sections() -> list[type[BaseModel]]:
    models: list[type[BaseModel]] = [BaseModel]
    for one in models:  # which grows
        models += one.__subclasses__()
    return models
