"""The page of a slot's reserves: who makes the pictures when the slot's own service fails."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from photochanger.errors import AppError, InvalidFields, VersionConflict
from slots.console.pages import console_page
from slots.console.reserve_form import ReserveForm
from slots.editing import change_slot
from slots.models import Slot


@require_http_methods(["GET", "POST"])
def reserve_page(request: HttpRequest, slot_id: str) -> HttpResponse:
    slot = get_object_or_404(Slot.objects.prefetch_related("reserves"), pk=slot_id)
    if request.method == "GET":
        return _render_page(request, slot, ReserveForm(slot))
    form = ReserveForm(slot, request.POST)
    if "redraw" in request.POST:  # another service was chosen: only its fields are wanted
        return _redraw(request, slot, form)
    try:
        change_slot(slot.pk, form.read_change(), by=request.user.get_username())
    except InvalidFields as exc:
        left = form.add_messages(dict(exc.fields))
        return _render_page(request, slot, form, wrong=exc, left=left)
    except AppError as exc:
        status = 409 if isinstance(exc, VersionConflict) else 200
        return _render_page(request, slot, form, wrong=exc, status=status)
    messages.success(request, _("The reserves are saved. They hold from the next photo on."))
    return redirect("admin:slot_reserve", slot.pk)


def _redraw(request: HttpRequest, slot: Slot, form: ReserveForm) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        context = {"slot": slot, "form": form}
        return render(request, "slots/console/_reserve_places.html", context)
    return _render_page(request, slot, form)


def _render_page(
    request: HttpRequest,
    slot: Slot,
    form: ReserveForm,
    *,
    wrong: AppError | None = None,
    left: list[object] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "title": _("Reserve"),
        "slot": slot,
        "original": slot,
        "form": form,
        "wrong": wrong.sentence if wrong else "",
        "left": left or [],
        "twice_help": slot._meta.get_field("reserve_may_cost_twice").help_text,
    }
    return console_page(request, "slots/console/reserve.html", context, status=status)
