"""When the database is away, the watch tells those whom it knew last. All of it is in memory."""

import itertools
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from photochanger.db import clock
from photochanger.errors import ProviderConfig
from slots.letters.access import MailAccess, find_mail_access
from stats.models import Alert, AlertMessage, AlertRecipient, Severity
from stats.watch.channels import Address, add_mail_access, open_address
from stats.watch.delivery import Outcome, Parcel, Sender, pause_after
from stats.watch.findings import Finding
from stats.watch.messages import is_quiet
from stats.watch.wording import write_trouble

log = structlog.get_logger()

EMAIL = AlertRecipient.Channel.EMAIL
SURE_AFTER_S = 8.0  # a restart takes less, and photos outlive it
FINDING = Finding(rule="database", severity=Severity.CRITICAL)


@dataclass(slots=True)
class Contact:
    """A recipient with the address in clear; it never leaves this process' memory."""

    recipient: AlertRecipient
    address: Address


@dataclass(slots=True)
class Told:
    """One message of this outage."""

    parcel: Parcel
    attempts: int = 0
    next_try_at: float = 0.0  # time.monotonic()
    sent_at: datetime | None = None
    last_error: str = ""


@dataclass(slots=True)
class OutageReporter:
    """From the first failed query to the first that works again."""

    sender: Sender[Parcel]
    contacts: dict[int, Contact] = field(default_factory=dict)
    mail_access: MailAccess | None = None
    since: float | None = None  # time.monotonic()
    begun_at: datetime | None = None
    told: dict[int, Told] = field(default_factory=dict)  # by the parcel's id
    is_told: bool = False
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(-1, -1))

    def remember(self) -> None:
        """Whom to tell, and how. Two queries; an address is decrypted when it is new."""
        known = self.contacts
        self.contacts = {}
        for recipient in AlertRecipient.objects.filter(is_active=True):
            before = known.get(recipient.pk)
            try:
                if before and before.recipient.address == recipient.address:
                    address = before.address
                else:
                    address = open_address(recipient.address)
            except ProviderConfig:
                continue  # shown in the console as soon as something is to be sent
            self.contacts[recipient.pk] = Contact(recipient, address)
        has_email = any(one.recipient.channel == EMAIL for one in self.contacts.values())
        self.mail_access = find_mail_access() if has_email else None

    def notice(self, *, speaks: bool) -> None:
        """The database is away. ``speaks``: this process held the lease when it went."""
        if self.since is None:
            self.since, self.begun_at = time.monotonic(), clock.now()
        if not speaks or time.monotonic() - self.since < SURE_AFTER_S:
            return
        if not self.is_told:
            self.is_told = True
            self._write()
        for one in self.told.values():
            if one.sent_at is None and one.next_try_at <= time.monotonic():
                self.sender.send(one.parcel)

    def _write(self) -> None:
        now = clock.now()
        log.error("stats.alert.opened", rule=FINDING.rule, recipients=len(self.contacts))
        for contact in self.contacts.values():
            recipient = contact.recipient
            is_kept_quiet = is_quiet(recipient, now) and not recipient.wakes_for_critical
            if FINDING.rule in recipient.muted_rules or is_kept_quiet:
                continue
            title, body = write_trouble([FINDING], recipient.language)
            parcel = Parcel(
                id=next(self._ids),  # below zero: no row has such a key
                recipient_id=recipient.pk,
                channel=recipient.channel,
                address=self._complete(contact),
                title=title,
                body=body,
            )
            self.told[parcel.id] = Told(parcel)

    def _complete(self, contact: Contact) -> Address:
        if contact.recipient.channel != EMAIL:
            return contact.address
        return add_mail_access(contact.address, self.mail_access)

    def record(self, outcome: Outcome[Parcel]) -> bool:
        """Whether it is a message of ours."""
        one = self.told.get(outcome.parcel.id)
        if one is None:
            return False
        one.attempts += 1
        if outcome.failure is None:
            one.sent_at, one.last_error = clock.now(), ""
            log.info("stats.alert.sent", rule=FINDING.rule, channel=one.parcel.channel)
            return True
        pause = pause_after(one.attempts, outcome.failure)
        one.next_try_at = time.monotonic() + pause.total_seconds()
        one.last_error = str(outcome.failure)
        log.warning("stats.alert.send_failed", rule=FINDING.rule, reason=one.last_error)
        return True

    def end(self) -> None:
        """The database is back: what was told becomes rows, as do messages still to be delivered.

        Their end is told like any other's.
        """
        if self.since is None or any(map(self.sender.is_on_its_way, self.told)):
            return  # a message on its way is waited for, or it would be sent twice
        if self.told and self.begun_at:
            self._store(self.begun_at, clock.now())
        self.since, self.begun_at, self.told, self.is_told = None, None, {}, False

    @transaction.atomic
    def _store(self, begun_at: datetime, now: datetime) -> None:
        alert = Alert.objects.create(
            rule=FINDING.rule,
            severity=FINDING.severity,
            opened_at=begun_at,
            raised_at=begun_at,
            seen_at=now,
            closed_at=now,
        )
        there = set(AlertRecipient.objects.values_list("pk", flat=True))
        for one in self.told.values():
            if one.parcel.recipient_id not in there:
                continue
            message = AlertMessage.objects.create(
                recipient_id=one.parcel.recipient_id,
                kind=AlertMessage.Kind.TROUBLE,
                title=one.parcel.title,
                body=one.parcel.body,
                created_at=begun_at + timedelta(seconds=SURE_AFTER_S),
                attempts=one.attempts,
                next_try_at=now,
                sent_at=one.sent_at,
                last_error=one.last_error,
            )
            message.alerts.add(alert)
