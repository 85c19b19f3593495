"""The kiosk: a page for a small screen in the room, with the button that closes the camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from edge.kiosk.view import HERE, LANGUAGES, KioskView, render
from edge.permission.pin import Pin
from edge.protocol.messages import Command
from edge.run.local_pages import Answer, LocalPages, PageRequest


class Kiosk:
    """Shows what `view` returns and passes on what is pressed.

    Anybody may switch the camera off. Where there is a PIN, switching it on takes that.
    """

    def __init__(
        self,
        port: int,
        language: str,
        *,
        view: Callable[[], KioskView],
        press: Callable[[Command], None],
        pin: Pin | None,
    ) -> None:
        self._language, self._view, self._press, self._pin = language, view, press, pin
        routes = {
            "GET /": self._page("kiosk.html"),
            "GET /panel": self._page("panel.html"),
            "GET /pin": self._page("pin.html"),
            "POST /pause": lambda asked: self._do("pause", self._language_of(asked)),
            "POST /resume": self._resume,
        }
        self.pages = LocalPages("kiosk", port, routes, HERE, "kiosk.port")
        self.url = self.pages.url

    def _page(self, template: str) -> Callable[[PageRequest], Answer]:
        return lambda asked: Answer(render(template, self._view(), self._language_of(asked)))

    def _language_of(self, request: PageRequest) -> str:
        language = request.query.get("lang", "")
        return language if language in LANGUAGES else self._language

    def _resume(self, request: PageRequest) -> Answer:
        language = self._language_of(request)
        if self._pin is None:
            return self._do("resume", language)
        if "pin" not in request.form:
            return Answer(go_to=f"/pin?lang={language}")
        if self._pin.opens(request.form["pin"]):
            return self._do("resume", language)
        wrong = "locked" if self._pin.is_locked else "wrong_pin"
        return Answer(render("pin.html", self._view(), language, wrong=wrong), status=403)

    def _do(self, what: Literal["pause", "resume"], language: str) -> Answer:
        self._press(Command(command=what))
        return Answer(go_to=f"/?lang={language}")
