"""What the watch has written down about an event, without whose booth it was."""

from collections import Counter
from collections.abc import Collection

from django.db.models import Q

from slots.events.periods import list_periods
from slots.letters.queue import forget_letters
from slots.models import Event
from stats.models import Alert
from stats.watch.messages import rewrite_messages

ALERTS = "alerts"
LETTERS = "letters"
PERSONAL = ("who",)  # names and addresses of booths


def purge_alerts(event: Event) -> Counter[str]:
    """Of its slots, each in its time, and of its budgets: the fact stays, who it was goes; the
    event is called what it is called from now on. Messages that told of it are written anew."""
    alerts = [alert for alert in _find_alerts(event) if {*PERSONAL, "event"} & alert.facts.keys()]
    emptied = [alert for alert in alerts if _empty_facts(alert, event)]
    Alert.objects.bulk_update(emptied, ["facts"])
    rewrite_messages(alerts)
    return Counter({ALERTS: len(emptied)})


def _find_alerts(event: Event) -> Collection[Alert]:
    periods = list_periods(event)
    in_its_time = Q(opened_at__lte=event.closed_at, seen_at__gte=event.started_at)
    alerts = Alert.objects.filter(in_its_time | Q(facts__event=event.pk))
    return [
        alert
        for alert in alerts
        if alert.facts.get("event") == event.pk
        or any(
            period.slot_id in alert.facts.get("slots", ())
            and period.touches(alert.opened_at, alert.seen_at)
            for period in periods
        )
    ]


def _empty_facts(alert: Alert, event: Event) -> bool:
    """Whether there was anything to empty. Not saved."""
    emptied: dict[str, str] = {name: "" for name in PERSONAL if alert.facts.get(name)}
    if alert.facts.get("event") == event.pk and alert.facts.get("budget") != str(event):
        emptied["budget"] = str(event)
    alert.facts |= emptied
    return bool(emptied)


def purge_letters(event: Event) -> Counter[str]:
    """Addresses of guests, whose pictures are gone by now; what waits is not sent any more."""
    return Counter({LETTERS: forget_letters(event.pk)})
