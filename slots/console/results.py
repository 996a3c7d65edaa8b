"""The last results on a slot's page, and their refresh."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from media.services import select_listed_results
from slots.models import Slot
from slots.platform_settings import PlatformSettings, load_platform_settings

RESULTS = 6


def describe_results(slot: Slot, platform: PlatformSettings) -> dict[str, Any]:
    """For the template; the query runs when it is drawn."""
    return {
        "results": select_listed_results(slot.pk)[:RESULTS],
        "ttl_hours": platform.result_ttl_hours,
    }


@require_GET
def results_part(request: HttpRequest, slot_id: str) -> HttpResponse:
    slot = get_object_or_404(Slot, pk=slot_id)
    context = {"slot": slot, **describe_results(slot, load_platform_settings())}
    return render(request, "slots/console/_results.html", context)
