"""Recipients: their page, and the buttons beside each."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from photochanger.db import clock
from photochanger.errors import ProviderConfig
from slots.console.pages import confirm_page, console_page
from stats.console.alerts.forms import FORMS, RecipientForm
from stats.models import AlertMessage, AlertRecipient
from stats.watch.lease import load_watch_state
from stats.watch.messages import add_test, select_waiting
from stats.watch.recipients import delete_recipient, open_address_or_nothing, save_recipient
from stats.watch.rules.words import RULES


@require_http_methods(["GET", "POST"])
def add_recipient(request: HttpRequest, channel: str) -> HttpResponse:
    if channel not in FORMS:
        raise Http404
    initial = {
        "rules": list(RULES),
        "is_active": True,
        "wakes_for_critical": True,
        "language": request.LANGUAGE_CODE,
    }
    form = FORMS[channel](request.POST or None, initial=initial, is_new=True)
    return _show_or_save(request, form, AlertRecipient(channel=channel))


@require_http_methods(["GET", "POST"])
def edit_recipient(request: HttpRequest, recipient_id: int) -> HttpResponse:
    recipient = get_object_or_404(AlertRecipient, pk=recipient_id)
    form_class = FORMS[recipient.channel]
    form = form_class(request.POST or None, initial=_read_values(recipient), is_new=False)
    return _show_or_save(request, form, recipient)


def _read_values(recipient: AlertRecipient) -> dict[str, Any]:
    """For the form; what is secret stays away from it."""
    form_class = FORMS[recipient.channel]
    address = open_address_or_nothing(recipient)
    shown = {name: text for name, text in address.items() if name not in form_class.secrets}
    return shown | {
        "name": recipient.name,
        "language": recipient.language,
        "least_severity": recipient.least_severity,
        "quiet_from": recipient.quiet_from,
        "quiet_until": recipient.quiet_until,
        "wakes_for_critical": recipient.wakes_for_critical,
        "is_active": recipient.is_active,
        "rules": [rule for rule in RULES if rule not in recipient.muted_rules],
    }


def _show_or_save(
    request: HttpRequest, form: RecipientForm, recipient: AlertRecipient
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            save_recipient(
                recipient,
                form.get_values(),
                form.get_address(),
                secrets=form.secrets,
                by=int(request.user.pk or 0),
            )
        except ProviderConfig:
            words = _("Secrets cannot be stored: FIELD_ENCRYPTION_KEY is not set in .env.")
            form.add_error(None, words)
        else:
            words = _("“%(name)s” is saved. Send a test: it shows whether it arrives.")
            messages.success(request, words % {"name": recipient})
            return redirect("admin:alerts")
    context = {
        "title": recipient.name or _("New recipient"),
        "channel": AlertRecipient.Channel(recipient.channel),
        "form": form,
        "recipient": recipient,
        "address_fields": [form[name] for name in form.address_fields],
    }
    return console_page(request, "stats/console/alerts/recipient.html", context)


@require_POST
def remove_recipient(request: HttpRequest, recipient_id: int) -> HttpResponse:
    recipient = get_object_or_404(AlertRecipient, pk=recipient_id)
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Remove “%(name)s”?") % {"name": recipient},
            words=_("Nothing is sent there any more; messages that still wait are dropped."),
            yes=_("Remove"),
        )
    delete_recipient(recipient, by=int(request.user.pk or 0))
    messages.success(request, _("“%(name)s” is removed.") % {"name": recipient})
    return redirect("admin:alerts")


@require_POST
def test_recipient(request: HttpRequest, recipient_id: int) -> HttpResponse:
    recipient = get_object_or_404(AlertRecipient, pk=recipient_id)
    if not recipient.is_active:
        messages.error(request, _("“%(name)s” is switched off.") % {"name": recipient})
        return redirect("admin:alerts")
    add_test(recipient)
    if load_watch_state().is_alive:
        words = _("A test is on its way to “%(name)s”: in some seconds this page says how it went.")
        messages.success(request, words % {"name": recipient})
    else:
        messages.error(request, _("The test waits: nobody watches, so nobody sends it."))
    return redirect("admin:alerts")


@require_POST
def handle_message(request: HttpRequest, message_id: int, act: str) -> HttpResponse:
    """Of a message that could not be delivered: try again now, or drop it."""
    now = clock.now()
    waiting = select_waiting().filter(pk=message_id)
    if act == "drop":
        waiting.update(dropped_at=now)
    elif act == "retry":
        recipients = waiting.values("recipient")
        AlertMessage.objects.filter(
            recipient__in=recipients, sent_at__isnull=True, dropped_at__isnull=True
        ).update(next_try_at=now)
    else:
        raise Http404
    return redirect("admin:alerts")
