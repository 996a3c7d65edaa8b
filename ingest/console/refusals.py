"""The page of what was refused before it became a photo, and of the booths that are known."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from ingest.refusals.booths import BoothFacts, load_booths
from ingest.refusals.queries import RefusalGroup, load_refusals
from photochanger.db import clock
from photochanger.parsing import parse_number
from slots.console.pages import console_page
from slots.models import SLOT_IDS, Slot
from slots.platform_settings import load_platform_settings

HOURS = {
    1: gettext_lazy("Hour"),
    24: gettext_lazy("Day"),
    24 * 7: gettext_lazy("Week"),
    24 * 30: gettext_lazy("Month"),
}
DEFAULT_HOURS = 24
BOOTH_MARGIN_S = 10  # how much longer than the slot a booth should wait


@dataclass(frozen=True, slots=True)
class BoothRow:
    facts: BoothFacts
    needed_s: int  # what its time-out should be

    @property
    def gives_up_early(self) -> bool:
        return self.facts.timeout_s is not None and self.facts.timeout_s < self.needed_s

    @property
    def clock_words(self) -> str:
        skew_s = self.facts.booth.clock_skew_s
        if skew_s is None:
            return ""
        if not self.facts.clock_is_wrong:
            return _("right")
        minutes = {"minutes": round(abs(skew_s) / 60)}
        ahead, behind = _("%(minutes)s min ahead"), _("%(minutes)s min behind")
        return (ahead if skew_s > 0 else behind) % minutes


@require_GET
def refusals_page(request: HttpRequest) -> HttpResponse:
    """The page; for a script only the parts that change."""
    asked = parse_number(request.GET.get("hours", ""))
    hours = asked if asked is not None and asked in HOURS else DEFAULT_HOURS
    slot_id = request.GET.get("slot", "") if request.GET.get("slot", "") in SLOT_IDS else ""
    context = {"hours": hours, "slot_id": slot_id, **_load_parts(hours, slot_id)}
    if request.headers.get("HX-Request") == "true":
        return render(request, "ingest/console/_refusals.html", context)
    frame = {
        "title": _("Refused requests and booths"),
        "choices": [(number, words, number == hours) for number, words in HOURS.items()],
        "address": f"{reverse('admin:refusals')}?hours={hours}&slot={slot_id}",
    }
    return console_page(request, "ingest/console/refusals.html", frame | context)


def _load_parts(hours: int, slot_id: str) -> dict[str, Any]:
    """Six queries."""
    now = clock.now()
    refusals: list[RefusalGroup] = load_refusals(
        now - timedelta(hours=hours), slot_id=slot_id or None
    )
    slots = Slot.objects.in_bulk()
    wait_s = load_platform_settings().sync_response_seconds
    booths = [
        BoothRow(facts, _get_needed_s(slots.get(facts.booth.slot_id), wait_s))
        for facts in load_booths(now)
    ]
    return {"refusals": refusals, "booths": booths, "slots": list(slots.values())}


def _get_needed_s(slot: Slot | None, platform_wait_s: int) -> int:
    return (slot.wait_s(platform_wait_s) if slot else platform_wait_s) + BOOTH_MARGIN_S
