"""What the watch has written down about an event, without whose booth it was."""

from collections import Counter

from slots.letters.queue import forget_letters
from slots.models import Event
from stats.models import Alert, AlertMessage

ALERTS = "alerts"
LETTERS = "letters"
PERSONAL = ("who",)  # names and addresses of booths


def purge_alerts(event: Event) -> Counter[str]:
    """Of its slots, in its time: the fact stays, who it was goes; so do texts that were sent."""
    slots = set(event.event_slots.values_list("slot_id", flat=True))
    alerts = Alert.objects.filter(opened_at__gte=event.started_at, opened_at__lte=event.closed_at)
    told = [alert for alert in alerts if not slots.isdisjoint(alert.facts.get("slots", ()))]
    personal = [alert for alert in told if any(alert.facts.get(name) for name in PERSONAL)]
    for alert in personal:
        alert.facts |= dict.fromkeys(PERSONAL, "")
    Alert.objects.bulk_update(personal, ["facts"])
    sent = AlertMessage.objects.filter(alerts__in=personal, sent_at__isnull=False)
    AlertMessage.objects.filter(pk__in=list(sent.values_list("pk", flat=True))).update(body="")
    return Counter({ALERTS: len(personal)})


def purge_letters(event: Event) -> Counter[str]:
    """Addresses of guests, whose pictures are gone by now; what waits is not sent any more."""
    return Counter({LETTERS: forget_letters(event.pk)})
