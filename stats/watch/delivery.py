"""Messages go out, each in a thread of its own; one that cannot be delivered is tried again."""

import queue
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from photochanger.errors import ProviderConfig
from stats.models import AlertMessage
from stats.watch.channels import Address, load_address, send_message
from stats.watch.channels.failure import DeliveryFailed
from stats.watch.messages import mark_sent, select_due

log = structlog.get_logger()

FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 600.0
MOST_AT_ONCE = 16
GIVE_UP_S = 60.0  # every channel has time-outs, but a server may answer a byte at a time


class Sendable(Protocol):
    """What can be sent in a thread, without the database."""

    @property
    def id(self) -> Hashable: ...

    @property
    def kind(self) -> str: ...

    def deliver(self) -> None:
        """Blocking. Raises DeliveryFailed."""


P = TypeVar("P", bound=Sendable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message that is ready to go: nothing of it is read from the database any more."""

    id: int
    recipient_id: int
    channel: str
    address: Address
    title: str
    body: str

    @property
    def kind(self) -> str:
        return self.channel

    def deliver(self) -> None:
        send_message(self.channel, self.address, self.title, self.body)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[P]):
    parcel: P
    failure: DeliveryFailed | None = None


@dataclass(frozen=True, slots=True)
class _Flight(Generic[P]):
    parcel: P
    thread: threading.Thread
    begun_at: float  # time.monotonic()


class Sender(Generic[P]):
    """Sends parcels side by side: a mail server that hangs delays nobody else's message."""

    def __init__(self, most_at_once: int = MOST_AT_ONCE, give_up_s: float | None = None) -> None:
        self._most_at_once, self._give_up_s = most_at_once, give_up_s
        self._outcomes: queue.SimpleQueue[Outcome[P]] = queue.SimpleQueue()
        self._in_flight: dict[Hashable, _Flight[P]] = {}

    def send(self, parcel: P) -> None:
        """Returns at once; does nothing while the same one is on its way."""
        if parcel.id in self._in_flight or len(self._in_flight) >= self._most_at_once:
            return
        # A thread that hangs must not keep the process from ending.
        thread = threading.Thread(target=self._run, args=[parcel], daemon=True)
        self._in_flight[parcel.id] = _Flight(parcel, thread, time.monotonic())
        thread.start()

    @property
    def is_busy(self) -> bool:
        return bool(self._in_flight)

    def is_on_its_way(self, parcel_id: Hashable) -> bool:
        return parcel_id in self._in_flight

    def _run(self, parcel: P) -> None:
        try:
            parcel.deliver()
            outcome = Outcome(parcel)
        except DeliveryFailed as exc:
            outcome = Outcome(parcel, exc)
        except (
            Exception
        ) as exc:  # a bug in a channel must not leave the message on its way for ever
            # Without the traceback: what a library raises may hold a token.
            log.error("stats.delivery.crashed", channel=parcel.kind, kind=type(exc).__name__)
            outcome = Outcome(parcel, DeliveryFailed(type(exc).__name__))
        self._outcomes.put(outcome)

    def collect(self) -> list[Outcome[P]]:
        """What has come of them since the last time; one that hangs for too long has failed."""
        found, give_up_s = [], self._give_up_s or GIVE_UP_S
        for flight in list(self._in_flight.values()):
            if time.monotonic() - flight.begun_at > give_up_s:
                words = f"no answer within {give_up_s:g} s"
                self._outcomes.put(Outcome(flight.parcel, DeliveryFailed(words)))
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            self._in_flight.pop(outcome.parcel.id, None)
            found.append(outcome)
        return found

    def wait(self, timeout_s: float) -> None:
        """Until all have come back, at most so long."""
        until = time.monotonic() + timeout_s
        for flight in list(self._in_flight.values()):
            flight.thread.join(max(0.0, until - time.monotonic()))


def pause_after(attempts: int, failure: DeliveryFailed) -> timedelta:
    """After the ``attempts``-th failed attempt; longer when the service asks for it."""
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 10))
    return timedelta(seconds=max(pause_s, failure.retry_after_s or 0.0))


def send_due(sender: Sender[Parcel], now: datetime) -> None:
    for message in select_due(now):
        try:
            address = load_address(message.recipient)
        except ProviderConfig as exc:
            _record_failure(message, DeliveryFailed(str(exc)), now)
            continue
        sender.send(
            Parcel(
                id=message.pk,
                recipient_id=message.recipient_id,
                channel=message.recipient.channel,
                address=address,
                title=message.title,
                body=message.body,
            )
        )


def record_outcomes(outcomes: list[Outcome[Parcel]], now: datetime) -> None:
    for outcome in outcomes:
        message = AlertMessage.objects.filter(pk=outcome.parcel.id).first()
        if message is None:
            continue  # deleted with its recipient meanwhile
        if outcome.failure is None:
            mark_sent(message.pk, now)
            log.info("stats.alert.sent", message=message.pk, channel=outcome.parcel.channel)
        else:
            _record_failure(message, outcome.failure, now)


def _record_failure(message: AlertMessage, failure: DeliveryFailed, now: datetime) -> None:
    """A test is tried once: whoever pressed the button is looking."""
    message.attempts += 1
    message.last_error = str(failure)
    message.next_try_at = now + pause_after(message.attempts, failure)
    if message.kind == AlertMessage.Kind.TEST:
        message.dropped_at = now
    message.save(update_fields=["attempts", "last_error", "next_try_at", "dropped_at"])
    log.warning(
        "stats.alert.send_failed",
        message=message.pk,
        recipient=message.recipient_id,
        attempts=message.attempts,
        reason=str(failure),
    )
