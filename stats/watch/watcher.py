"""The watch: looks every two seconds, opens and closes alerts, and sends their messages.

It needs no queue and no other process than the database. Its own state is the lease, what hangs,
and whom to tell when the database is away.
"""

import threading
import time
from datetime import datetime

import structlog
from django.db import Error as AnyDatabaseError
from django.db import connection

from ingest.clocks import MEASURE_EVERY_S, record_skew
from photochanger.db import clock
from slots.models import Slot
from stats.health import load_keys_in_use
from stats.models import Severity
from stats.watch.alerts import delete_old_alerts, record_findings
from stats.watch.delivery import Parcel, Sender, record_outcomes, send_due
from stats.watch.findings import Finding, load_alert_settings
from stats.watch.guest_letters import GuestMail
from stats.watch.lease import give_back_lease, make_holder, take_lease
from stats.watch.messages import write_messages
from stats.watch.outage import OutageReporter
from stats.watch.probe import Probe
from stats.watch.rules.budgets import find_low_budgets
from stats.watch.rules.photos import find_in_photos, find_silent_booths
from stats.watch.rules.refusals import find_refusals
from stats.watch.rules.reserve import find_on_reserve
from stats.watch.rules.server import find_disk_trouble, find_on_server
from stats.watch.rules.services import ServiceHistory, check_services

log = structlog.get_logger()

EVERY_S = 2.0
SERVICES_EVERY_S, DOUBT_S = 20.0, 4.0
DISK_EVERY_S, DISK_HANGS_S = 10.0, 20.0
SERVER_EVERY_S = 20.0
OLD_EVERY_S = 3600.0
LAST_WORDS_S = 10.0  # for messages that are on their way when the watch is told to stop


class Watcher:
    def __init__(self) -> None:
        self.holder = make_holder()
        self.speaks = False  # it holds the lease, as far as it knows
        self.sender, self.guest_mail = Sender[Parcel](), GuestMail()
        self.outage = OutageReporter(self.sender)
        self.services, self.keys = ServiceHistory(), dict[str, str]()
        self.service_probe = Probe(lambda: check_services(self.keys), every_s=SERVICES_EVERY_S)
        self.disk_probe = Probe(lambda: list(find_disk_trouble()), every_s=DISK_EVERY_S)
        self.disk: list[Finding] | None = None
        self.server: list[Finding] = []
        self._server_at, self._old_at = -SERVER_EVERY_S, time.monotonic()
        self._clock_at = -MEASURE_EVERY_S
        self._has_failed = False

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set. Whatever happens in one round, the next one comes."""
        log.info("stats.watch.started", holder=self.holder)
        while not stop.is_set():
            self.look()
            stop.wait(EVERY_S)
        self.end()

    def look(self) -> None:
        """One round. Raises nothing."""
        try:
            self._look(clock.now())
            self._has_failed = False
        except AnyDatabaseError as exc:
            connection.close()
            if not self._has_failed:  # once for each outage; the log is no place for storms either
                log.error("stats.watch.database_failed", detail=type(exc).__name__)
            self._has_failed = True
            for outcome in self.sender.collect():
                self.outage.record(outcome)
            self.outage.notice(speaks=self.speaks)
        except Exception:  # a bug in one rule must not end the watch
            connection.close()
            log.exception("stats.watch.crashed")

    def _look(self, now: datetime) -> None:
        if time.monotonic() - self._clock_at >= MEASURE_EVERY_S:
            self._clock_at = time.monotonic()
            record_skew()  # also of a machine that only stands by
        was_speaking, self.speaks = self.speaks, take_lease(self.holder)
        if self.speaks != was_speaking:
            log.info("stats.watch.lease_changed", speaks=self.speaks)
        outcomes = [one for one in self.sender.collect() if not self.outage.record(one)]
        record_outcomes(outcomes, now)
        self.guest_mail.record(now)
        self.outage.end()
        if not self.speaks:
            return
        self.outage.remember()
        findings, unknown = self._find(now)
        record_findings(findings, now, unknown=unknown)
        write_messages(now)
        send_due(self.sender, now)
        self.guest_mail.send_due(now)
        if time.monotonic() - self._old_at >= OLD_EVERY_S:
            self._old_at = time.monotonic()
            delete_old_alerts(now)

    def _find(self, now: datetime) -> tuple[list[Finding], set[str]]:
        """What is wrong, and the rules of which nothing is known at this moment."""
        limits, slots = load_alert_settings(), list(Slot.objects.filter(is_active=True))
        self._ask_services()
        disk = self._ask_disk()
        if time.monotonic() - self._server_at >= SERVER_EVERY_S:
            self.server = find_on_server(slots, self.services.clock_skews_s, now)
            self._server_at = time.monotonic()
        found = [
            *find_in_photos(slots, limits, now),
            *find_silent_booths(slots, limits, now),
            *find_refusals(limits, now),
            *self.services.find(),
            *find_on_reserve(),
            *find_low_budgets(now),
            *(disk or []),
            *self.server,
        ]
        unknown = {"disk"} if disk is None else set()
        if not self.services.has_been_asked:
            unknown |= {"service_away", "key_refused"}
        return found, unknown

    def _ask_services(self) -> None:
        self.keys = load_keys_in_use()
        if (checks := self.service_probe.take()) is not None:
            self.services.add({name: check for name, check in checks.items() if name in self.keys})
            if self.services.has_doubt:
                self.service_probe.hurry(DOUBT_S)
        self.service_probe.start_if_due()

    def _ask_disk(self) -> list[Finding] | None:
        if (found := self.disk_probe.take()) is not None:
            self.disk = found
        self.disk_probe.start_if_due()
        if self.disk_probe.hangs_for_s() > DISK_HANGS_S:
            return [Finding(rule="disk", severity=Severity.CRITICAL, facts={"free_mb": None})]
        return self.disk

    def end(self) -> None:
        """Hand on to another one; messages on their way may still arrive."""
        self.sender.wait(LAST_WORDS_S)
        self.guest_mail.sender.wait(LAST_WORDS_S)
        try:
            record_outcomes(self.sender.collect(), clock.now())
            self.guest_mail.record(clock.now())
            give_back_lease(self.holder)
        except AnyDatabaseError:
            log.warning("stats.watch.lease_kept")  # it ends by itself
        log.info("stats.watch.ended")
