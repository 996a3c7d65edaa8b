"""Slots whose model is about to be switched off by its provider, or already is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from slots.models import Slot

WARN_DAYS = 60


@dataclass(frozen=True, slots=True)
class Retiring:
    slot: Slot
    model_id: str
    model: str  # its title
    retires_on: date
    days: int  # until then; none are left when it is 0 or less

    @property
    def is_retired(self) -> bool:
        return self.days <= 0


def find_retiring_slots(
    today: date | None = None,
    *,
    slots: Iterable[Slot] | None = None,
    within_days: int | None = WARN_DAYS,
) -> list[Retiring]:
    """Of the given slots, else of all that take photos: the most urgent first.

    ``within_days`` leaves out what ends later than that; None tells of every known end.
    """
    today = today or timezone.localdate()
    until = date.max if within_days is None else today + timedelta(days=within_days)
    looked_at = Slot.objects.filter(is_active=True) if slots is None else slots
    found = [
        one
        for slot in looked_at
        for one in _find_retiring_models(slot, today)
        if one.retires_on <= until
    ]
    return sorted(found, key=lambda one: (one.days, one.slot.pk))


def _find_retiring_models(slot: Slot, today: date) -> list[Retiring]:
    if not slot.settings:
        return []
    try:
        recipe = slot.recipe()
    except (KeyError, ValueError):  # no such provider any more, or not its settings: told elsewhere
        return []
    used = recipe.models_used()
    return [
        Retiring(slot, model.id, model.title, model.retires_on, (model.retires_on - today).days)
        for model in slot.driver.models
        if model.id in used and model.retires_on is not None
    ]
