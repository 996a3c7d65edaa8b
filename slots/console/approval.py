"""The console's page for the link and PIN of those who approve pictures of a slot, or an event."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from media.links import build_url, build_url_for_phones, find_links
from media.views import build_qr_response
from photochanger.errors import InvalidFields
from slots.approval.links import HOURS, end_link, load_link, make_link, renew_pin
from slots.approval.scope import Scope
from slots.console.pages import AdminView, confirm_page, console_page, find_slot_or_404
from slots.models import Event, Slot


class Question(NamedTuple):
    """Before anything is done: in a dialog, or on a page of its own where no script runs."""

    title: str
    words: str
    yes: str


def get_urls(view: AdminView) -> list[URLPattern]:
    """Of a slot. ``view`` lets administrators in only."""
    return [
        path("<slot_id>/approval/", view(slot_page), name="slot_approval"),
        path("<slot_id>/approval/qr.svg", view(slot_qr), name="slot_approval_qr"),
    ]


@require_http_methods(["GET", "POST"])
def slot_page(request: HttpRequest, slot_id: str) -> HttpResponse:
    slot = find_slot_or_404(slot_id)
    return _answer(request, Scope(slot_id=slot.pk), {"slot": slot, "hours": HOURS})


@require_http_methods(["GET", "POST"])
def event_page(request: HttpRequest, event_id: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=event_id)
    if event.closed_at is not None:  # its link has ended with it
        return redirect("admin:slots_event_change", event.pk)
    at_once = Slot.objects.filter(
        pk__in=event.get_links().values("slot_id"), publishing=Slot.Publishing.AT_ONCE
    )
    return _answer(request, Scope(event_id=event.pk), {"event": event, "at_once": list(at_once)})


def _answer(request: HttpRequest, scope: Scope, context: dict[str, Any]) -> HttpResponse:
    """A PIN is shown in the answer to the press that made it."""
    act, pin = request.POST.get("do", ""), ""
    link = load_link(scope)
    questions = list_questions(scope, has_link=link is not None)
    if request.method == "POST":
        if act in questions and "confirmed" not in request.POST:
            return _ask(request, questions[act], act)
        if act == "end":
            end_link(scope, by=request.user.get_username())
            messages.success(request, _("The link is ended."))
            return redirect(request.path)
        try:
            pin = _make_pin(request, scope, act)
        except InvalidFields as exc:  # its event is over meanwhile
            messages.error(request, " ".join(map(str, exc.fields.values())))
            return redirect(request.path)
        link = load_link(scope)
        questions = list_questions(scope, has_link=True)
    context |= {
        "title": _("Approve pictures"),
        "link": link,
        "questions": questions,
        "address": build_url(request, "api:approval", token=link.token) if link else "",
        "has_code": find_links(request).is_for_phones,
        "pin": format_pin(pin),
    }
    response = console_page(request, "slots/console/approval.html", context)
    response["Cache-Control"] = "no-store"
    return response


def list_questions(scope: Scope, *, has_link: bool) -> dict[str, Question]:
    """By what is done. A slot's first link opens nothing that was shut, and is made at once."""
    out = _("Whoever approves by it is out at once.")
    if has_link:
        again = _("Everybody who approves types it again.")
        return {
            "link": Question(_("Replace the link and its PIN?"), out, _("Replace")),
            "pin": Question(_("Make a new PIN?"), again, _("New PIN")),
            "end": Question(_("End the link?"), out, _("End it")),
        }
    if scope.event_id is None:
        return {}
    words = _("Whoever has it and its PIN sees all pictures of the event, and may delete them.")
    return {"link": Question(_("Make a link for a helper?"), words, _("Make link and PIN"))}


def _ask(request: HttpRequest, question: Question, act: str) -> HttpResponse:
    carried = {"do": act, "hours": request.POST.get("hours", "")}
    return confirm_page(request, **question._asdict(), carried=carried, back=request.path)


def _make_pin(request: HttpRequest, scope: Scope, act: str) -> str:
    """Raises InvalidFields for an event that is over."""
    by = request.user.get_username()
    if act == "pin" and (renewed := renew_pin(scope, by=by)):
        return renewed.pin
    asked = request.POST.get("hours", "")
    hours = int(asked) if asked in map(str, HOURS) else HOURS[1]
    return make_link(scope, hours=hours if scope.event_id is None else None, by=by).pin


def format_pin(pin: str) -> str:
    return f"{pin[:4]} {pin[4:]}" if pin else ""


@require_GET
def slot_qr(request: HttpRequest, slot_id: str) -> HttpResponse:
    return _draw_qr(request, Scope(slot_id=find_slot_or_404(slot_id).pk))


@require_GET
def event_qr(request: HttpRequest, event_id: int) -> HttpResponse:
    return _draw_qr(request, Scope(event_id=event_id))


def _draw_qr(request: HttpRequest, scope: Scope) -> HttpResponse:
    link = load_link(scope)
    if link is None:
        raise Http404
    address = build_url_for_phones(request, "api:approval", token=link.token)
    return build_qr_response(address, cache_control="no-store")
