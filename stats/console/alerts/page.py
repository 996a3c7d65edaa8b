"""The page of alerts: what is wrong, who is told, what could not be delivered."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from photochanger.db import clock
from slots.console.pages import console_page
from stats.console.alerts.forms import LimitsForm
from stats.models import Alert, AlertMessage, AlertRecipient
from stats.watch.findings import load_alert_settings, save_alert_settings
from stats.watch.lease import load_watch_state
from stats.watch.messages import is_quiet, select_waiting
from stats.watch.rules.words import RULES
from stats.watch.wording import Wording, word_alert

MOST_OVER, MOST_WAITING = 20, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    alert: Alert
    wording: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRow:
    recipient: AlertRecipient
    last: AlertMessage | None
    is_quiet: bool
    told_of: str


@require_http_methods(["GET", "POST"])
def alerts_page(request: HttpRequest) -> HttpResponse:
    """A POST changes when something is an alert."""
    form = LimitsForm(request.POST or None, initial=load_alert_settings().model_dump())
    if request.method == "POST" and form.is_valid():
        save_alert_settings(form.make_settings(), by=request.user.get_username())
        messages.success(request, _("The limits of alerts are saved."))
        return redirect("admin:alerts")
    context = {"title": _("Alerts"), "form": form, "channels": AlertRecipient.Channel.choices}
    return console_page(request, "stats/console/alerts/alerts.html", context | load_news())


@require_GET
def alerts_part(request: HttpRequest) -> HttpResponse:
    """What is updated live."""
    return render(request, "stats/console/alerts/_alerts.html", load_news())


def load_news() -> dict[str, Any]:
    """Six queries."""
    over = Alert.objects.filter(closed_at__isnull=False).order_by("-closed_at")[:MOST_OVER]
    waiting = select_waiting().filter(last_error__gt="").select_related("recipient")
    return {
        "watch": load_watch_state(),
        "open": _word_all(Alert.objects.filter(closed_at__isnull=True)),
        "over": _word_all(over),
        "recipients": _load_recipients(),
        "waiting": waiting.order_by("pk")[:MOST_WAITING],
    }


def _word_all(alerts: Any) -> list[AlertRow]:
    return [AlertRow(alert=alert, wording=word_alert(alert)) for alert in alerts]


def _load_recipients() -> list[RecipientRow]:
    now = clock.now()
    recipients = list(AlertRecipient.objects.all())
    last: dict[int, AlertMessage] = {}
    recent = AlertMessage.objects.filter(recipient__in=recipients).defer("body").order_by("-pk")
    for message in recent[: 20 * len(recipients)]:
        last.setdefault(message.recipient_id, message)
    return [
        RecipientRow(
            recipient=one,
            last=last.get(one.pk),
            is_quiet=is_quiet(one, now),
            told_of=_describe_choice(one),
        )
        for one in recipients
    ]


def _describe_choice(recipient: AlertRecipient) -> str:
    muted = [str(RULES[rule].title) for rule in recipient.muted_rules if rule in RULES]
    if not muted:
        return ""
    if len(muted) > len(RULES) // 2:
        told = [
            str(rule.title) for name, rule in RULES.items() if name not in recipient.muted_rules
        ]
        return _("only: %(rules)s") % {"rules": ", ".join(told) or "–"}
    return _("without: %(rules)s") % {"rules": ", ".join(muted)}
