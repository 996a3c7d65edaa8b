"""“Prepare for the event”: readiness checks, trial photos, and what to type into the booth."""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ingest.console.approvals import list_approvals, load_helper_link
from ingest.pipeline.order import Order
from ingest.pipeline.trial import run_trial
from ingest.readiness import CHECKS
from ingest.readiness.result import (
    FAIL,
    OK,
    WARN,
    CheckResult,
    list_active_slots,
    list_used_providers,
)
from ingest.readiness.services import check_provider_key
from media.links import build_url, find_links, find_phone_base
from photochanger.db import in_db
from photochanger.errors import AppError, ProviderConfig
from photochanger.parsing import parse_number
from photochanger.pictures import Photo
from providers.registry import DRIVERS
from slots.console.async_views import async_admin_view
from slots.console.pages import console_page
from slots.gallery.addresses import build_gallery_path
from slots.gallery.modes import find_gallery_mode
from slots.models import Event, Slot, SlotTemplateMedia
from slots.passwords import get_password_hash, read_ingest_password, read_slot_password
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.reserve.sources import Source, list_reserves
from slots.services import find_slot
from slots.setting_rows import load_fact, store_fact

SAMPLE = Path(__file__).parents[1] / "sample/portrait.jpg"
PHONE_KEY, MAX_PHONE = "event.support_phone", 60
BOOTH_LONGER_S = 10  # than the slot waits, so that its time-out response still arrives
SLOW_SHARE = 0.75  # of the waiting time: a little slower, and photos will time out
CHECK_TITLES = {
    "slots": gettext_lazy("Slots"),
    "password": gettext_lazy("Booth password"),
    "models": gettext_lazy("Models"),
    "quota": gettext_lazy("Quota"),
    "address": gettext_lazy("Public address"),
    "galleries": gettext_lazy("Who sees the pictures"),
    "disk": gettext_lazy("Room on the disk"),
    "storage": gettext_lazy("Storing pictures"),
    "clock": gettext_lazy("Clock"),
    "cleanup": gettext_lazy("Cleanup"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothSetup:
    """What to type into the booth for one slot."""

    slot: Slot
    link: str
    wait_s: int
    has_password: bool
    has_gallery: bool
    gallery_qr: str
    slideshow_qr: str
    password: str = field(default="", repr=False)  # only for who has confirmed to be there

    @property
    def timeout_s(self) -> int:
        return self.wait_s + BOOTH_LONGER_S


@require_GET
def event_page(request: HttpRequest) -> HttpResponse:
    sheet = make_sheet(request)
    used = {booth.slot.provider for booth in sheet["booths"]}
    context = sheet | {
        "title": _("Prepare for the event"),
        "checks": list(_list_checks()),
        "approvals": list_approvals(booth.slot for booth in sheet["booths"]),
        "services": [(name, driver.title) for name, driver in DRIVERS.items() if name in used],
    }
    return console_page(request, "ingest/console/event.html", context)


def make_sheet(request: HttpRequest, event: Event | None = None) -> dict[str, Any]:
    """What is typed into the booths, for the page and on paper. Four queries, of an event five.

    Of all slots that are on; of an event, of its own, which may be off until it starts.
    """
    platform = load_platform_settings()
    slots = list(_select_slots(event)) if event else list_active_slots()
    return {
        "event": event,
        "helper": load_helper_link(request, event) if event else None,
        "links": find_links(request),
        "phone": load_fact(PHONE_KEY) or "",
        "booths": [_describe_booth(request, slot, platform) for slot in slots],
        "now": timezone.localtime(),
    }


def _select_slots(event: Event) -> QuerySet[Slot]:
    return Slot.objects.filter(pk__in=event.get_links().values("slot_id"))


def make_sheet_with_passwords(request: HttpRequest) -> dict[str, Any]:
    """Only for who has just confirmed to be the administrator that is logged in. Blocking."""
    number = parse_number(request.GET.get("event", ""))
    asked = Event.objects.filter(pk=number) if number is not None else None
    sheet = make_sheet(request, asked.first() if asked is not None else None)
    common = read_ingest_password(load_platform_settings())

    def reveal(booth: BoothSetup) -> BoothSetup:
        own = booth.slot.ingest_password_hash
        return replace(booth, password=read_slot_password(booth.slot) if own else common)

    booths = [reveal(booth) for booth in sheet["booths"]]
    if (helper := sheet["helper"]) is not None:
        sheet["helper"] = helper.with_pin()
    return sheet | {"booths": booths, "common_password": common, "is_revealed": True}


def _list_checks() -> Iterator[tuple[str, str]]:
    yield "slots", str(CHECK_TITLES["slots"])
    for name in list_used_providers():
        yield f"key-{name}", _("Key of %(provider)s") % {"provider": DRIVERS[name].title}
    yield from ((name, str(title)) for name, title in CHECK_TITLES.items() if name != "slots")


def _describe_booth(request: HttpRequest, slot: Slot, platform: PlatformSettings) -> BoothSetup:
    return BoothSetup(
        slot=slot,
        link=build_url(request, "api:ingest_photo_short", slot_id=slot.pk),
        wait_s=slot.wait_s(platform.sync_response_seconds),
        has_password=bool(get_password_hash(slot, platform)),
        has_gallery=find_gallery_mode(slot, platform) != Slot.GalleryMode.CLOSED,
        gallery_qr=build_gallery_path(slot, platform, "gallery_qr"),
        slideshow_qr=build_gallery_path(slot, platform, "slideshow_qr"),
    )


@require_POST
def save_phone(request: HttpRequest) -> HttpResponse:
    """Whom to call, printed on the sheet; kept for the next event."""
    phone = request.POST.get("phone", "").strip()[:MAX_PHONE]
    if phone.isprintable():
        store_fact(PHONE_KEY, phone, by=request.user.get_username())
        messages.success(request, _("Saved: it stands on the sheet."))
    return redirect("admin:event")


@require_GET
def event_check(request: HttpRequest, name: str) -> HttpResponse:
    """One line of the page, with the check's result."""
    provider = name.removeprefix("key-")
    if name.startswith("key-") and provider in DRIVERS:
        title, verdict = _("Key of %(provider)s"), check_provider_key(provider)
        title %= {"provider": DRIVERS[provider].title}
    elif name in CHECKS:
        title, verdict = str(CHECK_TITLES[name]), CHECKS[name]()
    else:
        raise Http404
    context = {"name": name, "question": title, "verdict": verdict}
    return render(request, "ingest/console/_event_check.html", context)


@async_admin_view
async def event_trial(request: HttpRequest, slot_id: str) -> HttpResponse:
    """Send a sample photo through the slot to its provider. It is paid for like any other.

    With ``reserve`` in the query to that one of its reserves, whoever works now.
    """
    if request.method != "POST":
        raise Http404
    result = None
    try:
        asked = request.GET.get("reserve", "")
        slot, platform, templates, reserves = await in_db(_load_slot, slot_id, asked)
        photo = await asyncio.to_thread(_open_sample)
        with photo.file:
            order = Order.for_trial(
                slot,
                templates,
                platform=platform,
                photo=photo,
                arrived_at=asyncio.get_running_loop().time(),
                reserves=reserves,
                phone_base=find_phone_base(request),
            )
            result, facts = await run_trial(order)
        wait_s = slot.wait_s(platform.sync_response_seconds)
        verdict = _judge_duration(facts["duration_ms"], facts["provider_ms"] or 0, wait_s)
        job_id: str | None = str(result.job.pk)
    except AppError as exc:
        verdict, job_id = CheckResult(FAIL, exc.sentence), exc.job_id
    context = {"verdict": verdict, "job_id": job_id, "has_picture": result is not None}
    return await in_db(render, request, "ingest/console/_event_trial.html", context)


class _Tested(NamedTuple):
    slot: Slot
    platform: PlatformSettings
    templates: tuple[SlotTemplateMedia, ...]
    reserves: tuple[Source, ...]  # to be asked instead of the slot's own service


def _load_slot(slot_id: str, reserve: str) -> _Tested:
    """``reserve``: the position of the one that is meant. Raises SlotNotFound, ProviderConfig."""
    slot = find_slot(slot_id)
    templates = tuple(slot.template_media.select_related("media_object"))
    reserves = list_reserves(slot) if reserve or slot.on_reserve else []
    if reserve and not (reserves := [one for one in reserves if str(one.position) == reserve]):
        raise ProviderConfig(f"no reserve {reserve[:10]} that is switched on")
    return _Tested(slot, load_platform_settings(), templates, tuple(reserves))


def _open_sample() -> Photo:
    file = io.BytesIO(SAMPLE.read_bytes())
    return Photo.open(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)


def _judge_duration(took_ms: int, theirs_ms: int, wait_s: int) -> CheckResult:
    words = _("The picture came after %(took)s s, of them %(theirs)s s the service.")
    words %= {
        "took": number_format(took_ms / 1000, 1),
        "theirs": number_format(theirs_ms / 1000, 1),
    }
    if took_ms < SLOW_SHARE * wait_s * 1000:
        return CheckResult(OK, words)
    slow = _("That is most of the %(wait)s s the slot waits: some photos will be too late.")
    to_do = _("Choose a faster model or a smaller picture, or let the slot wait longer.")
    return CheckResult(WARN, f"{words} {slow % {'wait': wait_s}}", to_do)
