"""The console's page for a slot's link and PIN of those who approve pictures."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from media.links import build_url, build_url_for_phones, find_links
from media.views import build_qr_response
from slots.approval.links import HOURS, end_link, load_link, make_link, renew_pin
from slots.console.pages import AdminView, console_page, find_slot_for
from slots.models import Slot


def get_urls(view: AdminView) -> list[URLPattern]:
    """``view`` lets administrators in only."""
    return [
        path("<slot_id>/approval/", view(approval_page), name="slot_approval"),
        path("<slot_id>/approval/qr.svg", view(approval_qr), name="slot_approval_qr"),
    ]


@require_http_methods(["GET", "POST"])
def approval_page(request: HttpRequest, slot_id: str) -> HttpResponse:
    """A PIN is shown once, in the answer to the press that made it."""
    slot, pin = find_slot_for(request, slot_id), ""
    if request.method == "POST":
        if request.POST.get("do") == "end":
            end_link(slot.pk, by=request.user.get_username())
            messages.success(request, _("The link is ended."))
            return redirect(request.path)
        pin = _make_pin(request, slot)
    link = load_link(slot)
    context = {
        "title": _("Approve pictures"),
        "slot": slot,
        "link": link,
        "address": build_url(request, "api:approval", token=link.token) if link else "",
        "has_code": find_links(request).is_for_phones,
        "pin": f"{pin[:4]} {pin[4:]}" if pin else "",
        "hours": HOURS,
    }
    response = console_page(request, "slots/console/approval.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _make_pin(request: HttpRequest, slot: Slot) -> str:
    by = request.user.get_username()
    if request.POST.get("do") == "pin" and (renewed := renew_pin(slot.pk, by=by)):
        return renewed.pin
    hours = request.POST.get("hours", "")
    chosen = int(hours) if hours in map(str, HOURS) else HOURS[1]
    return make_link(slot.pk, hours=chosen, by=by).pin


@require_GET
def approval_qr(request: HttpRequest, slot_id: str) -> HttpResponse:
    link = load_link(find_slot_for(request, slot_id))
    if link is None:
        raise Http404
    address = build_url_for_phones(request, "api:approval", token=link.token)
    return build_qr_response(address, cache_control="no-store")
