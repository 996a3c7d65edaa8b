"""What one photo of each slot would reserve now: for pages and alerts, not for the photos."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from ingest.budgets.models import Budget
from ingest.budgets.queries import BudgetState
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


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """A budget as it is used, and the photos that it would let in next, slot by slot.

    Slots of one budget have dear photos and cheap ones: the last money lets only cheap ones in.
    """

    state: BudgetState
    photos: list[SlotEstimate]

    @classmethod
    def of(cls, budget: Budget, state: BudgetState, estimates: Iterable[SlotEstimate]) -> Self:
        slot_id, event_id = budget.slot_id, budget.event_id
        concerned = [
            one
            for one in estimates
            if slot_id in (None, one.slot.pk) and event_id in (None, one.slot.event_id)
        ]
        return cls(state, concerned)

    @property
    def dearest_micros(self) -> int:
        """What one photo reserves at most; 0: nobody knows a price."""
        return max((one.micros for one in self.photos), default=0)

    @property
    def is_spent(self) -> bool:
        """Not one photo more is let in, of whichever slot."""
        return self.state.is_spent(min((one.micros for one in self.photos), default=0))

    @property
    def stopped(self) -> list[Slot]:
        """The slots of which no photo is let in any more."""
        return [one.slot for one in self.photos if self.state.is_spent(one.micros)]
