"""Makes Home Assistant's part from the settings, and shares the broker's connection with it."""

from __future__ import annotations

from collections.abc import Callable

from collector.config import CollectorSettings
from collector.integrations.home_assistant import HomeAssistantRooms, Publish
from collector.integrations.home_discovery import HomeRoom
from collector.live.rooms import Rooms, RoomView
from edge.common.link import Guest


def home_assistant(
    settings: CollectorSettings, rooms: Rooms, publish: Publish
) -> HomeAssistantRooms | None:
    """None where the school does not want it."""
    if settings.home_assistant is None:
        return None

    def describe(view: RoomView) -> HomeRoom:
        site, room, url = view.site, view.room, settings.web.url
        health = view.status.health if view.status else None
        return HomeRoom(
            site,
            room,
            settings.title(site, room),
            f"{url}/rooms/{site}/{room}" if url else None,
            health.version if health else None,
        )

    return HomeAssistantRooms(settings.home_assistant, settings.name, publish, rooms, describe)


def guest(home: HomeAssistantRooms, look_soon: Callable[[], None]) -> Guest:
    """Its use of the broker's connection; `look_soon` has its rooms told again before long."""

    def up() -> None:
        home.up()
        look_soon()

    def receive(topic: str, payload: bytes) -> None:
        home.receive(topic, payload)
        if topic in home.birth_topics:
            look_soon()

    return Guest(home.topics, receive, up, home.will)
