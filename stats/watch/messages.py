"""Which messages are to be sent: one for a storm, one when it is over, none in quiet hours."""

from collections.abc import Collection, Iterator
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from photochanger.db import clock
from slots.models import Event
from stats.models import Alert, AlertMessage, AlertRecipient, Severity
from stats.watch.wording import write_over, write_test, write_trouble

GATHER = timedelta(seconds=5)  # what begins together is told together
STORM = timedelta(minutes=10)
MOST_IN_STORM = 3  # messages; what comes after them waits and is told at once
TOLD_LATE = timedelta(days=3)
Kind = AlertMessage.Kind


def write_messages(now: datetime) -> None:
    """Six queries for each recipient at most, when nothing is new three; two for their events."""
    recipients = AlertRecipient.objects.filter(is_active=True)
    for recipient in recipients.prefetch_related("events__slots"):
        with transaction.atomic():
            _write_news(recipient, now)
            _write_ends(recipient, now)


def is_quiet(recipient: AlertRecipient, now: datetime) -> bool:
    """By the clock of people; hours that pass midnight too."""
    begins, ends = recipient.quiet_from, recipient.quiet_until
    if begins is None or ends is None or begins == ends:
        return False
    at: time = timezone.localtime(now).time()
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def _write_news(recipient: AlertRecipient, now: datetime) -> None:
    untold = [a for a in _select_untold(recipient, now) if is_concerned(recipient, a)]
    if is_quiet(recipient, now):
        untold = [a for a in untold if _wakes(recipient, a)]
    if not untold or min(alert.raised_at for alert in untold) > now - GATHER:
        return
    recent = recipient.messages.filter(kind=Kind.TROUBLE, created_at__gt=now - STORM)
    if recent.count() >= MOST_IN_STORM:
        return
    title, body = write_trouble(untold, recipient.language)
    message = _add_message(recipient, Kind.TROUBLE, title, body, now)
    message.alerts.set(untold)


def is_concerned(recipient: AlertRecipient, alert: Alert) -> bool:
    """Who was chosen for events is told while one of them runs, and only of what touches it; when
    all of them are over, of everything again: better too much than nothing ever."""
    events = [event for event in recipient.events.all() if event.closed_at is None]
    slots = set(alert.facts.get("slots", ()))
    return not events or any(
        event.state == Event.State.RUNNING
        and event.started_at is not None
        and (alert.closed_at is None or alert.closed_at >= event.started_at)
        and (not slots or not slots.isdisjoint(slot.pk for slot in event.slots.all()))
        for event in events
    )


def _wakes(recipient: AlertRecipient, alert: Alert) -> bool:
    return recipient.wakes_for_critical and alert.severity == Severity.CRITICAL


def _select_untold(recipient: AlertRecipient, now: datetime) -> QuerySet[Alert]:
    """Also what was over before it could be told, as in quiet hours: nothing is kept from them."""
    told = AlertMessage.objects.filter(
        recipient=recipient,
        kind=Kind.TROUBLE,
        alerts=OuterRef("pk"),
        created_at__gte=OuterRef("raised_at"),
    )
    found = Alert.objects.filter(
        Q(closed_at__isnull=True) | Q(opened_at__gte=recipient.told_from),
        ~Exists(told),
        raised_at__gt=now - TOLD_LATE,
    ).exclude(rule__in=recipient.muted_rules)
    if recipient.least_severity == Severity.CRITICAL:
        found = found.filter(severity=Severity.CRITICAL)
    return found.order_by("opened_at", "pk")


def _write_ends(recipient: AlertRecipient, now: datetime) -> None:
    ended = list(_iterate_ended(recipient, now))
    if not ended:
        return
    alerts = {alert.pk: alert for _message, over in ended for alert in over}
    title, body = write_over(list(alerts.values()), recipient.language)
    over = _add_message(recipient, Kind.OVER, title, body, now)
    over.alerts.set(alerts)
    AlertMessage.objects.filter(pk__in=[message.pk for message, _over in ended]).update(
        ended_by=over
    )


def _iterate_ended(
    recipient: AlertRecipient, now: datetime
) -> Iterator[tuple[AlertMessage, list[Alert]]]:
    """Messages all of whose alerts are over, as are those of their storm."""
    told = recipient.messages.filter(
        kind=Kind.TROUBLE, ended_by__isnull=True, dropped_at__isnull=True
    )
    if not told.exists():
        return
    ended_later = Alert.objects.filter(
        messages=OuterRef("pk"), closed_at__gte=OuterRef("created_at")
    )
    still_open = Alert.objects.filter(messages=OuterRef("pk"), closed_at__isnull=True)
    candidates = told.filter(Exists(ended_later), ~Exists(still_open)).prefetch_related("alerts")
    running = list(told.filter(Exists(still_open)).values_list("created_at", flat=True))
    quiet = is_quiet(recipient, now)
    for message in candidates:
        is_storm = any(abs(message.created_at - at) <= STORM for at in running)
        alerts = list(message.alerts.all())
        woke = any(_wakes(recipient, alert) for alert in alerts)
        if not is_storm and (woke or not quiet):
            yield message, alerts


def rewrite_messages(alerts: Collection[Alert]) -> None:
    """From what the alerts say now: sent or not, a message keeps no more of them than they do.
    In a transaction that has changed them."""
    ids = AlertMessage.objects.filter(alerts__in=alerts).values_list("pk", flat=True)
    rows = AlertMessage.objects.filter(pk__in=list(ids)).select_related("recipient")
    for message in rows.prefetch_related("alerts"):
        write = write_over if message.kind == Kind.OVER else write_trouble
        whole = sorted(message.alerts.all(), key=lambda alert: (alert.opened_at, alert.pk))
        message.title, message.body = write(
            whole, message.recipient.language, at=message.created_at
        )
        message.save(update_fields=["title", "body"])


def add_test(recipient: AlertRecipient) -> AlertMessage:
    """Sent by the watch like any other, so that it shows that the whole way works."""
    title, body = write_test(recipient.language)
    return _add_message(recipient, Kind.TEST, title, body, clock.now())


def _add_message(
    recipient: AlertRecipient, kind: AlertMessage.Kind, title: str, body: str, now: datetime
) -> AlertMessage:
    return AlertMessage.objects.create(
        recipient=recipient, kind=kind, title=title, body=body, created_at=now, next_try_at=now
    )


def select_waiting() -> QuerySet[AlertMessage]:
    waiting = AlertMessage.objects.filter(sent_at__isnull=True, dropped_at__isnull=True)
    return waiting.filter(recipient__is_active=True)


def select_due(now: datetime) -> list[AlertMessage]:
    """Of each recipient the oldest, so that an end never comes before its beginning; and tests."""
    due: dict[tuple[int, bool], AlertMessage] = {}
    for message in select_waiting().select_related("recipient").order_by("pk"):
        due.setdefault((message.recipient_id, message.kind == Kind.TEST), message)
    return [message for message in due.values() if message.next_try_at <= now]


def mark_sent(message_id: int, now: datetime) -> None:
    AlertMessage.objects.filter(pk=message_id).update(
        sent_at=now, attempts=F("attempts") + 1, last_error=""
    )
