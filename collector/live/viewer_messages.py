"""What viewers are shown of a device's messages: all but `boot`.

`boot` names one run of an agent to the broker and the collector. Nobody who looks at a room needs
it, and whoever knows it could speak of that run's windows.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from edge.protocol.messages import (
    Cell,
    Digest,
    Instant,
    Label,
    Message,
    Mood,
    Name,
    Windows,
    WithholdReason,
)

HIDDEN_FIELDS = frozenset({"boot"})


class ShownMood(BaseModel):
    """One window, `roommood.mood/1` without its run."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    schema_: Literal["roommood.mood/1"] = Field(alias="schema")
    site: Name
    room: Name
    device: Name
    seq: int
    start: Instant
    seconds: float
    clock: Literal["synced", "unsynced"]
    frames: int
    faces: Cell | None
    counts: dict[Label, Cell] | None
    withheld: WithholdReason | None
    model: Digest
    windows: Windows = Field(1, description="Left out where it is 1.")

    @model_serializer(mode="wrap")
    def _without_one(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if (name, value) != ("windows", 1)}

    @classmethod
    def of(cls, mood: Mood) -> ShownMood:
        return cls.model_construct(**{name: getattr(mood, name) for name in cls.model_fields})


def as_json(message: Message) -> str:
    """For a feed."""
    return message.model_dump_json(by_alias=True, exclude=set(HIDDEN_FIELDS))
