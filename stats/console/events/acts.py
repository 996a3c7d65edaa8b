"""What is done to an event as a whole; each asks first."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ingest.events.purge import count_unsettled, purge_event
from photochanger.db import clock
from photochanger.errors import InvalidFields, StorageError
from slots.console.pages import confirm_page, console_page
from slots.events.editing import delete_planned_event, is_late
from slots.events.running import close_event, start_event
from slots.models import Event
from stats.console.events.guard import answer_deleted_event
from stats.events.figures import load_event_figures


@require_POST
@answer_deleted_event
def start(request: HttpRequest, event_id: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=event_id)
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Start “%(event)s”?") % {"event": event},
            words=_("Its slots get their recipes and are switched on; booths may send photos."),
            yes=_("Start"),
        )
    try:
        event = start_event(event.pk, by=request.user.get_username())
    except InvalidFields as exc:
        messages.error(request, " ".join(f"{key} {words}" for key, words in exc.fields.items()))
    else:
        _report_start(request, event)
    return redirect("admin:slots_event_change", event.pk)


def _report_start(request: HttpRequest, event: Event) -> None:
    if is_late(event, clock.now()):
        words = _(
            "“%(event)s” runs, but its planned end has passed: no alarm comes when a booth is "
            "silent. Set a later end: “Edit”."
        )
        messages.warning(request, words % {"event": event})
    else:
        messages.success(request, _("“%(event)s” runs. Its alarms are armed.") % {"event": event})


@require_POST
@answer_deleted_event
def close(request: HttpRequest, event_id: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=event_id)
    switches_off = "switches_off" in request.POST
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Close “%(event)s”?") % {"event": event},
            words=_(
                "Photos that come from now on do not belong to it. It cannot be started again."
            ),
            yes=_("Close"),
            carried={"switches_off": "on"} if switches_off else None,
        )
    close_event(event.pk, by=request.user.get_username(), switches_off=switches_off)
    messages.success(request, _("“%(event)s” is closed.") % {"event": event})
    return redirect("admin:slots_event_change", event.pk)


@require_POST
@answer_deleted_event
def delete(request: HttpRequest, event_id: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=event_id)
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Delete “%(event)s”?") % {"event": event},
            words=_("It has not begun: there are no photos of it."),
            yes=_("Delete"),
        )
    if not delete_planned_event(event, by=request.user.get_username()):
        messages.error(request, _("It has begun meanwhile: close it, then purge it."))
        return redirect("admin:slots_event_change", event.pk)
    messages.success(request, _("“%(event)s” is deleted.") % {"event": event})
    return redirect("admin:events")


@require_http_methods(["GET", "POST"])
@answer_deleted_event
def purge(request: HttpRequest, event_id: int) -> HttpResponse:
    """Asks for the event's name, as there is no way back."""
    event = get_object_or_404(Event, pk=event_id)
    if event.closed_at is None:
        return redirect("admin:slots_event_change", event.pk)
    if request.method == "POST":
        if request.POST.get("confirm", "").strip() == event.name.strip():
            _purge(request, event)
            return redirect("admin:slots_event_change", event.pk)
        messages.error(request, _("Nothing was deleted: the name was not typed."))
    context: dict[str, Any] = {
        "title": _("Purge “%(event)s”") % {"event": event},
        "event": event,
        "seen": load_event_figures(event),
        "unsettled": count_unsettled(event),
    }
    return console_page(request, "stats/console/events/purge.html", context)


def _purge(request: HttpRequest, event: Event) -> None:
    try:
        done = purge_event(
            event.pk,
            by=request.user.get_username(),
            name=request.POST.get("name", "").strip()[:100],
            with_recipes="with_recipes" in request.POST,
        )
    except (OSError, StorageError):
        done = event.purges.filter(finished_at__isnull=True).first()
    if done is None:
        messages.error(request, _("A photo of it is still in work. Try again in two minutes."))
    elif done.finished_at is None:
        words = _("Some files could not be deleted now. Cleanup tries again within minutes.")
        messages.error(request, words)
    else:
        pictures = int(done.counts.get("result", 0))
        words = ngettext("%d picture was deleted.", "%d pictures were deleted.", pictures)
        messages.success(request, words % pictures)
