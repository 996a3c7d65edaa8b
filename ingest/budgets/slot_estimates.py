"""What one photo of each slot would reserve now: for pages and alerts, not for the photos."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ingest.budgets.models import Budget
from ingest.budgets.reservation import estimate_photo
from ingest.costs.price_table import load_price_table
from slots.models import Slot
from slots.platform_settings import load_platform_settings
from slots.reserve.recipes import apply_reserve


@dataclass(frozen=True, slots=True)
class SlotEstimate:
    slot: Slot
    micros: int  # 0 where no price is known: such a photo reserves nothing


def load_slot_estimates(day: date) -> list[SlotEstimate]:
    """Of the slots that are switched on. Five queries, and none of them waits for a photo."""
    prices = load_price_table(load_platform_settings().prices_version)
    slots = Slot.objects.filter(is_active=True).prefetch_related("template_media", "reserves")
    found = []
    for slot in slots:
        kinds = [one.media_kind for one in slot.template_media.all()]
        micros = estimate_photo(_list_sources(slot), prices, day, kinds=kinds)
        found.append(SlotEstimate(slot, micros or 0))
    return found


def _list_sources(slot: Slot) -> list[Slot]:
    """As ``plan_sources`` would choose them for a photo while all of them work."""
    reserves = [apply_reserve(slot, row) for row in slot.reserves.all() if row.is_enabled]
    return reserves if slot.on_reserve and reserves else [slot, *reserves]


def find_dearest_photo(budget: Budget, estimates: Iterable[SlotEstimate]) -> int:
    """Micro-dollars that one photo under the budget reserves at most; 0: nobody knows a price."""
    concerned = (
        one.micros
        for one in estimates
        if budget.slot_id in (None, one.slot.pk) and budget.event_id in (None, one.slot.event_id)
    )
    return max(concerned, default=0)
