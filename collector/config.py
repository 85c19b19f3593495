"""The collector's settings: each default beside its check."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from edge.broker import BrokerSettings
from edge.settings import Section


class WebSettings(Section):
    """Where the page is served. There are no accounts yet: keep it on loopback."""

    host: str = "127.0.0.1"
    port: int = Field(8642, ge=0, le=65535)


class CollectorSettings(Section):
    """One collector for a school."""

    name: str = Field("collector", pattern=r"^[a-z0-9-]{1,32}$")
    """Tells two collectors on one broker apart."""
    database: str = "sqlite:///roommood.sqlite"
    """An SQLAlchemy URL."""
    broker: BrokerSettings = BrokerSettings()
    web: WebSettings = WebSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database")
    @classmethod
    def _known(cls, url: str) -> str:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ValueError(
                "not a database URL: write sqlite:////var/lib/roommood.sqlite"
            ) from None
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise ValueError("only sqlite and postgresql are supported")
        return url
