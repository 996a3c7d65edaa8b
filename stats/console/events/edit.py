"""A new event, a changed one, a copy; and what each of its slots gets at the start."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from photochanger.errors import AppError, InvalidFields
from slots.console.pages import console_page
from slots.events.editing import change_recipe as change_event_recipe
from slots.events.editing import copy_event, save_event
from slots.events.logos import store_logo
from slots.events.models import Event, EventSlot
from stats.console.events.forms import EventForm
from stats.console.events.guard import answer_deleted_event

OVER = (Event.State.CLOSED, Event.State.PURGED)


@require_http_methods(["GET", "POST"])
@answer_deleted_event
def new_event(request: HttpRequest) -> HttpResponse:
    return _show_or_save(request, Event(), {})


@require_http_methods(["GET", "POST"])
@answer_deleted_event
def edit_event(request: HttpRequest, event_id: int) -> HttpResponse:
    """What is over is history: it is copied instead."""
    event = get_object_or_404(Event.objects.select_related("logo"), pk=event_id)
    if event.state in OVER:
        return redirect("admin:slots_event_change", event.pk)
    initial = {
        "slots": list(event.get_links().values_list("slot_id", flat=True)),
        "recipients": list(event.recipients.values_list("pk", flat=True)),
    }
    return _show_or_save(request, event, initial)


def _show_or_save(request: HttpRequest, event: Event, initial: Mapping[str, Any]) -> HttpResponse:
    title, logo = event.name or _("New event"), event.logo  # as they are stored
    event_id = event.pk
    form = EventForm(request.POST or None, request.FILES or None, instance=event, initial=initial)
    if request.method == "POST" and form.is_valid() and _is_saved(request, form):
        messages.success(request, _("“%(event)s” is saved.") % {"event": form.instance})
        return redirect("admin:slots_event_change", form.instance.pk)
    context = {"title": title, "form": form, "logo": logo, "event_id": event_id}
    return console_page(request, "stats/console/events/edit.html", context)


def _is_saved(request: HttpRequest, form: EventForm) -> bool:
    given, by = form.cleaned_data, request.user.get_username()
    try:
        # Before the transaction: no row is locked while a file is written.
        logo = store_logo(given["logo"], by=by) if given["logo"] else None
        with transaction.atomic():
            event = save_event(
                form.instance,
                given["slots"],
                by=by,
                changed=form.list_changed(),
                logo=logo,
                drops_logo=given["drops_logo"],
            )
            event.recipients.set(given["recipients"])
    except InvalidFields as exc:
        for slot_id, words in exc.fields.items():
            form.add_error("slots" if slot_id else None, f"{slot_id} {words}".strip())
    except AppError as exc:
        form.add_error("logo", str(exc.sentence))
    else:
        return True
    return False


@require_POST
@answer_deleted_event
def copy_page(request: HttpRequest, event_id: int) -> HttpResponse:
    """The next one, to be given its name and its day."""
    source = get_object_or_404(Event.objects.select_related("logo"), pk=event_id)
    with transaction.atomic():
        event = copy_event(source, by=request.user.get_username())
        event.recipients.set(source.recipients.all())
    messages.success(request, _("This is the copy. Give it its name and its time."))
    return redirect("admin:events_edit", event.pk)


@require_POST
@answer_deleted_event
def change_recipe(request: HttpRequest, event_id: int, slot_id: str, act: str) -> HttpResponse:
    """Of a planned event: the slot's recipe of now is remembered for it, or forgotten."""
    if act not in ("keep", "drop"):
        raise Http404
    try:
        is_changed = change_event_recipe(event_id, slot_id, keeps=act == "keep")
    except EventSlot.DoesNotExist as exc:
        raise Http404 from exc
    if not is_changed:
        messages.error(request, _("It has begun meanwhile: the slot has its recipe already."))
    return redirect("admin:slots_event_change", event_id)
