"""All events, and the page of one: its figures, its slots, and what can be done next."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from ingest.console.event import make_sheet
from media.archive import build_zip
from media.links import find_links
from media.models import MediaObject
from media.uploads import read_upload
from media.views import build_qr_response
from photochanger.db import clock
from photochanger.errors import AppError
from slots.approval.links import load_link
from slots.approval.scope import Scope
from slots.console.approval import list_questions
from slots.console.pages import console_page
from slots.events.editing import is_late
from slots.events.models import Event, EventSlot
from slots.events.running import find_start_problems
from slots.gallery.addresses import build_gallery_path, build_gallery_url
from slots.models import Slot
from slots.platform_settings import PlatformSettings, load_platform_settings
from stats.console.events.proof import list_proof
from stats.events.figures import EventFigures, load_event_figures
from stats.outcomes import Outcomes
from stats.plots import to_percent, to_seconds

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class SlotRow:
    link: EventSlot
    outcomes: Outcomes
    gallery_url: str


@require_GET
def events_page(request: HttpRequest) -> HttpResponse:
    """The newest first; what runs above all others."""
    events = Event.objects.order_by("-starts_at", "-pk")
    running = list(events.filter(started_at__isnull=False, closed_at__isnull=True))
    rest = events.exclude(pk__in=[event.pk for event in running])
    page = Paginator(rest, PER_PAGE).get_page(request.GET.get("page"))
    context = {"title": _("Events"), "running": running, "page": page}
    return console_page(request, "stats/console/events/events.html", context)


@require_GET
def event_page(request: HttpRequest, event_id: int) -> HttpResponse:
    event = get_object_or_404(Event.objects.select_related("logo"), pk=event_id)
    scope = Scope(event_id=event.pk)
    link = load_link(scope)
    context = {
        "title": event.name,
        "event": event,
        "problems": find_start_problems(event) if event.state == Event.State.PLANNED else {},
        "link": link,
        "questions": list_questions(scope, has_link=link is not None),
        "recipients": list(event.recipients.all()),
        "purges": [(purge, list(list_proof(purge))) for purge in event.purges.all()],
        **_load_news(request, event),
    }
    return console_page(request, "stats/console/events/event.html", context)


@require_GET
def event_part(request: HttpRequest, event_id: int) -> HttpResponse:
    """What is updated live."""
    event = get_object_or_404(Event, pk=event_id)
    context = {"event": event, **_load_news(request, event)}
    return render(request, "stats/console/events/_figures.html", context)


def _load_news(request: HttpRequest, event: Event) -> dict[str, Any]:
    """Five queries."""
    seen, platform = load_event_figures(event), load_platform_settings()
    links = event.get_links().select_related("slot__event")
    return {
        "seen": seen,
        "share_percent": to_percent(seen.outcomes.success_share),
        "p50_s": to_seconds(seen.timings.duration_p50_ms),
        "p95_s": to_seconds(seen.timings.duration_p95_ms),
        "rows": [_make_row(request, link, seen, platform) for link in links],
        "is_late": is_late(event, clock.now()),
    }


def _make_row(
    request: HttpRequest, link: EventSlot, seen: EventFigures, platform: PlatformSettings
) -> SlotRow:
    return SlotRow(
        link=link,
        outcomes=seen.by_slot.get(link.slot_id, Outcomes()),
        gallery_url=build_gallery_url(request, link.slot, platform),
    )


@require_GET
def event_pack(request: HttpRequest, event_id: int) -> HttpResponse:
    """To be printed: a sheet for whoever sets the booths up, posters for the guests, a card for
    whoever stands beside them."""
    event = get_object_or_404(Event.objects.select_related("logo"), pk=event_id)
    sheet = make_sheet(request, event)
    slots, platform = [booth.slot for booth in sheet["booths"]], load_platform_settings()
    posters = [slot for slot in slots if _will_show_gallery(event, slot, platform)]
    context = {"title": _("To be printed"), "posters": posters, **sheet}
    return console_page(request, "stats/console/events/pack.html", context)


def _will_show_gallery(event: Event, slot: Slot, platform: PlatformSettings) -> bool:
    """Once the event runs: its slots may be off until then. Not saved."""
    slot.gallery_mode = event.gallery_mode or slot.gallery_mode
    closed = Slot.GalleryMode.CLOSED
    is_never = slot.publishing == Slot.Publishing.NEVER
    return closed not in (slot.gallery_mode, platform.galleries) and not is_never


@require_GET
def event_qr(request: HttpRequest, event_id: int, slot_id: str) -> HttpResponse:
    """Of the gallery as it will be: posters are printed before the event."""
    link = get_object_or_404(
        EventSlot.objects.select_related("event", "slot").filter(removed_at__isnull=True),
        event__pk=event_id,  # ``event`` of a number above 64 bits is an OverflowError
        slot=slot_id,
    )
    platform = load_platform_settings()
    if not _will_show_gallery(link.event, link.slot, platform):
        raise Http404
    address = find_links(request).address + build_gallery_path(link.slot, platform)
    return build_qr_response(address, cache_control="private, no-cache")


@require_GET
def event_zip(request: HttpRequest, event_id: int) -> StreamingHttpResponse:
    event = get_object_or_404(Event, pk=event_id)
    archive = build_zip(event_id=event.pk)
    headers = {
        "Content-Length": str(archive.size_bytes),
        "Content-Disposition": f'attachment; filename="{archive.name}"',
    }
    return StreamingHttpResponse(archive.chunks, content_type="application/zip", headers=headers)


@require_GET
def event_logo(request: HttpRequest, event_id: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=event_id, logo__isnull=False)
    try:
        media, body = read_upload(MediaObject.Kind.LOGO, str(event.logo_id))
    except AppError as exc:
        raise Http404 from exc
    headers = {"Cache-Control": "private, no-cache"}
    return HttpResponse(body, content_type=media.mime, headers=headers)
