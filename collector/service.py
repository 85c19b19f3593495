"""Wires the collector: broker to store, store to pages. The only file that knows every part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from collector.access.accounts import CONFIRMED_S, Accounts
from collector.access.audit import AuditLog
from collector.access.audit_witness import AuditWitness
from collector.access.guard import Guard
from collector.access.hashing import hashing_queue
from collector.access.known_browsers import KnownBrowsers
from collector.access.limits import Guesses, Limits
from collector.access.oidc import Provider
from collector.access.secret import derive_key
from collector.access.sessions import Sessions
from collector.access.settings_audit import audit_settings
from collector.alerts.wiring import alert_workers
from collector.app import AppContext, make_app
from collector.config import CollectorSettings
from collector.fleet.copied_devices import CopiedDevices
from collector.fleet.registry import DeviceRegistry
from collector.fleet.service import FleetService
from collector.ingest.erasing import DeviceErasures
from collector.ingest.ingest import Ingest
from collector.ingest.resend import ResendRequests
from collector.integrations.home_wiring import guest, home_assistant
from collector.integrations.metrics import RoomMetrics, metrics_registry
from collector.integrations.webhook_receiver import target
from collector.integrations.webhooks import Webhooks
from collector.lessons.checkins import CheckIns
from collector.lessons.report import Reports, lesson_out
from collector.lessons.repository import Lesson, LessonRepository
from collector.lessons.scheduler import LessonScheduler
from collector.lessons.summary import Summaries
from collector.lessons.timetable import timetable_of
from collector.live.history import KEPT_S
from collector.live.history_reader import HistoryReader
from collector.live.own_clock import OwnClock
from collector.live.panel_broadcaster import PanelBroadcaster
from collector.live.pending import PendingCommands
from collector.live.rooms import Key, Rooms, RoomView
from collector.pages import render
from collector.pages.middleware import listen, protect
from collector.pages.panel import Panels
from collector.pages.pdf import PdfQueue
from collector.pages.public_sites import PublicSites
from collector.pages.render import MadeUp
from collector.retention.erasing import apply_notes
from collector.retention.worker import RetentionWorker
from collector.run.announcements import Announcement, Announcements
from collector.run.backup_watch import backup_state
from collector.run.clock_watch import ClockWatch
from collector.run.expiry import own_certificates
from collector.run.own_database import OwnDatabase
from collector.run.room_changes import RoomChanges
from collector.run.web_server import WebServer
from collector.storage.database import patient
from collector.storage.store import Store
from edge.common.calendar_sources import CalendarFetcher
from edge.common.worker import Worker, Workers, first_line
from edge.protocol.messages import Command, Mood, Status, topic

log = logging.getLogger(__name__)

FIRST_RUN_S = 3600.0


class Service:
    """A running collector between `start` and `stop`; `on_stored` hears of every new window.

    Where it is a demonstration, `made_up` is what every page says of it."""

    def __init__(
        self,
        settings: CollectorSettings,
        on_stored: Callable[[Mood], None] = lambda _mood: None,
        *,
        made_up: MadeUp = "",
    ) -> None:
        self._settings = settings
        self.database = OwnDatabase(settings)
        self._engine, key = self.database.engine, self.database.key
        store = Store(self._engine)
        self.erasures = self.database.erasures
        apply_notes(self.erasures)
        confirmed_s = settings.oidc.confirm_hours * 3600 if settings.oidc else CONFIRMED_S
        self.accounts = Accounts(self._engine, confirmed_s)
        self.sessions = Sessions(self._engine, self.accounts)
        self.audit = AuditLog(self._engine, settings.state, key)
        audit_settings(self._engine, self.audit, settings, key)
        self.rooms = Rooms(self.erasures.covers)
        self._remember(store)
        self.registry = registry = metrics_registry(
            RoomMetrics(
                self.rooms,
                settings.state,
                self._certificates_end,
                partial(own_certificates, settings),
                partial(backup_state, settings),
            )
        )
        hooks = [target(h.url, h.secret.get_secret_value(), h.events) for h in settings.webhooks]
        self._webhooks = Webhooks(self._engine, hooks, self.erasures)
        repository, checkins = LessonRepository(self._engine), CheckIns(self._engine, key)
        summaries = Summaries(store, repository)
        renderer = render.Renderer(settings.school, made_up, settings.title, settings.web.base)
        self._pending = PendingCommands()
        panels = Panels(self.rooms, repository, checkins, renderer, self._pending)
        self._broadcaster = PanelBroadcaster(panels.draw, lambda room: self.rooms.view(*room).state)
        clock = OwnClock()
        timetable = timetable_of(settings)
        calendars = timetable.web_sources if timetable else []
        self._calendars = CalendarFetcher(calendars) if calendars else None
        self._scheduler = LessonScheduler(
            repository,
            summaries,
            lambda: [(view.site, view.room) for view in self.rooms.all()],
            timetable,
            self._lesson,
            find=settings.school.find_lessons,
            is_in_doubt=lambda: clock.doubt() is not None,
        )
        self._on_stored = on_stored
        self._home = home_assistant(settings, self.rooms, self._retain)
        self.ingest = Ingest(
            settings.broker,
            f"{settings.name}-{derive_key(key, 'broker').hex()[:16]}",
            store,
            self.rooms,
            registry,
            self._announce,
            self.erasures,
            lambda site: settings.retention_of(site).windows_days,
            guest(self._home, self._look_soon) if self._home else None,
            clock,
        )
        self._witness = AuditWitness(self.audit, settings.name, self.ingest.publish_lasting)
        self._retention = RetentionWorker(
            patient(self._engine),
            settings.retention_of,
            self.audit,
            settings.audit_days,
            self._witness.look,
            self.erasures,
            self._on_expiry,
            clock.is_sure,
        )
        self._clock_watch = ClockWatch(clock, self.erasures, self._retention.wake)
        self._device_erasures = DeviceErasures(self.erasures, self._send, self._on_erasure)
        limits = Limits()
        self._hashing, self._papers = hashing_queue(), PdfQueue()
        self.fleet = (
            FleetService(
                settings.fleet, self._engine, self.audit, limits, settings.broker, self._on_renewal
            )
            if settings.fleet
            else None
        )
        self._socket = listen(settings.web.host, settings.web.port)
        web = settings.web
        context = AppContext(
            store=store,
            rooms=self.rooms,
            ingest=self.ingest,
            registry=registry,
            accounts=self.accounts,
            sessions=self.sessions,
            audit_log=self.audit,
            limits=limits,
            guesses=Guesses(),
            hashing=self._hashing,
            papers=self._papers,
            browsers=KnownBrowsers(key),
            secure_cookies=web.secure,
            guard=Guard(
                self.sessions, repository, self.audit, limits, web.feeds, web.feeds_per_account
            ),
            repository=repository,
            checkins=checkins,
            reports=Reports(repository, summaries, checkins, settings.school.attentive),
            renderer=renderer,
            panels=panels,
            broadcaster=self._broadcaster,
            pending=self._pending,
            markers=settings.school.markers,
            provider=Provider(settings.oidc, self.accounts) if settings.oidc else None,
            retention_of=settings.retention_of,
            site_retention=settings.retention,
            backup_count=settings.backup.keep if backup_state(settings) else None,
            public_sites=PublicSites(settings, self._engine, self.rooms),
            notify=self._lesson,
            send_command=self._command,
            own_url=lambda: self.url,
            base=web.base,
            erasures=self.erasures,
            forget=self.forget,
            problems=self.problems,
            broker_address=(settings.broker.host, settings.broker.port),
            fleet=self.fleet,
        )
        self.app = make_app(context)
        self._web = WebServer(
            protect(self.app, key, web.secure, web.base, web.url),
            self._socket,
            web.certificate,
            web.key,
            self._end_feeds,
            web.proxies,
            web.connections,
        )
        self.announcements = self._all_announcements()
        self._workers = Workers(self._all_workers())

    def _certificates_end(self) -> dict[Key, float]:
        devices = DeviceRegistry(self._engine).all() if self._settings.fleet else []
        return {one.room: one.certificate.expires for one in devices if one.certificate}

    def _retain(self, topic: str, payload: bytes) -> None:
        self.ingest.publish_lasting(topic, payload)

    def _look_soon(self) -> None:
        self.announcements.look_soon()

    def _all_announcements(self) -> Announcements:
        """Who hears of what, by the name under which a failure is said."""
        rooms: dict[str, Callable[[RoomView], object]] = {
            "pages": lambda view: self._broadcaster.refresh((view.site, view.room)),
            "webhooks": RoomChanges(self._webhooks.notify).update,
        }
        if self._home is not None:
            rooms["Home Assistant"] = self._home.notify
        devices = {
            "erasures": self._device_erasures.update,
            "windows wanted again": ResendRequests(self._engine, self._send).update,
        }
        if self.fleet is not None:
            devices["devices"] = self.fleet.update_status
        else:
            devices["copied devices"] = CopiedDevices(self.audit).update
        moods = {"lessons": self._scheduler.update_mood, "stored": self._on_stored}
        erasures = {} if self._home is None else {"Home Assistant": self._home.forget}
        looks = {} if self._home is None else {"Home Assistant": self._home.look}
        return Announcements(rooms, moods, devices, erasures, self.rooms.all, looks)

    def _all_workers(self) -> Iterator[Worker]:
        """In the order of their start, and the other way round in that of their end.

        Each uses only those that stand before it, so nobody tells one that has ended.
        """
        yield from self.database.workers
        yield self.ingest.link
        if self._settings.webhooks:
            yield self._webhooks
            yield from self._webhooks.receivers
        yield self._broadcaster
        yield self.announcements
        yield from (self._retention, self._clock_watch)
        if self.fleet is not None:
            yield from self.fleet.workers
        if self._calendars is not None:
            yield self._calendars
        yield self._scheduler
        yield self.ingest.writer
        yield HistoryReader(self.rooms)
        yield self._web
        yield from alert_workers(
            self._settings,
            self._engine,
            self.rooms,
            self.fleet.registry.all if self.fleet else None,
            lambda: self.ingest.is_connected,
            self.problems,
            self._webhooks.rows,
            lambda: self.url,
        )

    def problems(self) -> dict[str, str]:
        """Workers that do not do their work now, and why; and what is wrong with the list of
        erasures."""
        problems = self._workers.problems()
        return problems | ({"erasures": self.erasures.problem} if self.erasures.problem else {})

    @property
    def url(self) -> str:
        """How people reach it."""
        web = self._settings.web
        host, port = self._socket.getsockname()[:2]
        scheme = "https" if web.certificate else "http"
        return web.url or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def first_run(self) -> str | None:
        """An address that lets whoever has it make the first account; None where there is one."""
        if self.accounts.has_administrator():
            return None
        self.sessions.end_links("administrator")
        return self.enter(FIRST_RUN_S)

    def enter(self, seconds: float) -> str:
        """An address that signs in as an administrator without an account."""
        secret = self.sessions.make_link("the collector", seconds, role="administrator")
        return f"{self.url}/enter/{secret}"

    def start(self) -> None:
        self._workers.start()
        with_windows = {(view.site, view.room) for view in self.rooms.all()}
        for site, room in self.erasures.all().keys() - with_windows:
            self.announcements.put(Announcement(None, self.rooms.view(site, room)))

    def stop(self) -> None:
        """Answers what was asked, stores what was received, tells of it; then all is closed."""
        if self._home is not None:
            self._home.down()
        have_ended = [self._workers.stop(), self._hashing.stop(), self._papers.stop()]
        if all(have_ended):  # else one is at work with it, and it ends with the process
            self.database.end()

    def _end_feeds(self) -> None:
        self.rooms.close()
        self._broadcaster.close()

    def fatal_problem(self) -> str:
        """What only a new process can mend, or nothing."""
        return "; ".join(f"{name}: {why}" for name, why in self._workers.fatal_problem().items())

    def sentence(self) -> str:
        """For `systemctl status`."""
        problems = [f"{name}: {why}" for name, why in self.problems().items()]
        if not self.ingest.is_connected:
            problems.insert(0, "no broker")
        return "; ".join(problems) or f"{len(self.rooms.all())} rooms"

    def _announce(self, message: Mood | Status) -> None:
        view = self.rooms.view(message.site, message.room)
        self.announcements.put(Announcement(message, view))

    def _remember(self, store: Store) -> None:
        """What rooms showed last; a room of which that cannot be read begins anew."""
        for window in store.latest():
            mood = window.mood
            store.follows(window.received)
            try:
                self.rooms.remember(mood.site, mood.room, partial(store.before, mood, KEPT_S))
                self.rooms.update_mood(mood, window.received)
            except (ValueError, OverflowError) as error:
                log.error("%s/%s: %s", mood.site, mood.room, first_line(error))

    def _lesson(self, event: str, lesson: Lesson) -> None:
        self._broadcaster.refresh((lesson.site, lesson.room))
        self._webhooks.notify(event, lesson_out(lesson).model_dump(mode="json"))

    def _command(self, key: Key, command: Any) -> None:
        self._pending.put(key, command)
        self.ingest.publish(topic(*key, "command"), Command(command=command).encode())
        self._broadcaster.refresh(key)

    def _send(self, site: str, room: str, command: Command) -> None:
        self.ingest.publish(topic(site, room, "command"), command.encode())

    def forget(self, site: str, room: str, whole: bool) -> None:
        """What others keep of a room of which something was erased: broker, Home Assistant, its
        device, and who watches; of a whole room also what its device last told of itself."""
        self.ingest.forget(site, room, status=whole)
        self.announcements.put(Announcement(None, self.rooms.view(site, room)))
        self._device_erasures.notify(site, room)
        self._broadcaster.refresh((site, room))

    def _on_erasure(self, site: str, room: str) -> None:
        """By a command beside the collector, as far as we know."""
        for begin, end in self.erasures.spans(site, room):
            self.rooms.forget(site, room, begin, end)
        self.forget(site, room, whole=False)

    def _on_expiry(self, site: str, room: str) -> None:
        """Retention has left none of a room's windows."""
        self.rooms.forget(site, room)
        self.forget(site, room, whole=False)

    def _on_renewal(self) -> None:
        self._web.renew_certificate()
