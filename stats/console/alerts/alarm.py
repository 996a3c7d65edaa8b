"""What every page of the console asks for every few seconds: is something wrong?"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from photochanger.db import clock
from slots.models import Slot
from stats.models import Alert
from stats.watch.findings import Finding, load_alert_settings
from stats.watch.lease import load_watch_state
from stats.watch.rules.photos import find_in_photos, find_silent_booths
from stats.watch.rules.refusals import REFUSED, RULE_BY_CAUSE, find_refusals
from stats.watch.wording import word_alert

FRESH_S = 3  # however many pages are open
MAX_SHOWN = 2
# The dashboard says these itself, on each slot's card and above all cards, with more facts.
ON_CARDS = {"failures_in_row", "failed_share", "booth_gone", *RULE_BY_CAUSE.values(), REFUSED}


@require_GET
def alarm_part(request: HttpRequest) -> HttpResponse:
    """Two queries while somebody watches."""
    watch = load_watch_state()
    alerts: Sequence[Alert | Finding] = (
        list(Alert.objects.filter(closed_at__isnull=True))
        if watch.is_alive
        else _find_without_watch()
    )
    shown = [alert for alert in alerts if not (is_dashboard(request) and alert.rule in ON_CARDS)]
    context = {
        "watch": watch,
        "count": len(alerts),
        "wordings": [word_alert(alert) for alert in alerts],
        "shown": [word_alert(alert) for alert in shown[:MAX_SHOWN]],
        "more": max(0, len(shown) - MAX_SHOWN),
        "names": " ".join(sorted(f"{alert.rule}:{alert.subject}" for alert in alerts)),
    }
    return render(request, "stats/console/alerts/_alarm.html", context)


def is_dashboard(request: HttpRequest) -> bool:
    """Whether the page that asks is the dashboard; htmx tells its address."""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path == reverse("admin:index")


def _find_without_watch() -> list[Finding]:
    """Nobody watches, and yet whoever looks at a page must see that photos fail."""
    found: list[Finding] | None = cache.get("stats.alarm")
    if found is None:
        now, limits = clock.now(), load_alert_settings()
        slots = list(Slot.objects.filter(is_active=True))
        found = [
            *find_in_photos(slots, limits, now),
            *find_silent_booths(slots, limits, now),
            *find_refusals(limits, now),
        ]
        cache.set("stats.alarm", found, FRESH_S)
    return found
