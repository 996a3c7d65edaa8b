"""What every page of the console asks for every few seconds: is something wrong?"""

from collections.abc import Sequence

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from slots.models import Slot
from stats.models import Alert
from stats.watch.findings import Finding, load_alert_settings
from stats.watch.lease import load_watch_state
from stats.watch.rules.photos import find_in_photos, find_silent_booths
from stats.watch.rules.refusals import find_refusals
from stats.watch.wording import word_alert

FRESH_S = 3  # however many pages are open


@require_GET
def alarm_part(request: HttpRequest) -> HttpResponse:
    """Two queries while somebody watches."""
    watch = load_watch_state()
    alerts: Sequence[Alert | Finding] = (
        list(Alert.objects.filter(closed_at__isnull=True))
        if watch.is_alive
        else _find_without_watch()
    )
    context = {
        "watch": watch,
        "count": len(alerts),
        "wordings": [word_alert(alert) for alert in alerts],
        "names": " ".join(sorted(f"{alert.rule}:{alert.subject}" for alert in alerts)),
    }
    return render(request, "stats/console/alerts/_alarm.html", context)


def _find_without_watch() -> list[Finding]:
    """Nobody watches, and yet whoever looks at a page must see that photos fail."""
    found: list[Finding] | None = cache.get("stats.alarm")
    if found is None:
        now, limits = timezone.now(), load_alert_settings()
        slots = list(Slot.objects.filter(is_active=True))
        found = [
            *find_in_photos(slots, limits, now),
            *find_silent_booths(slots, limits, now),
            *find_refusals(limits, now),
        ]
        cache.set("stats.alarm", found, FRESH_S)
    return found
