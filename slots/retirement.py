"""Slots whose model is about to be switched off by its provider, or already is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from slots.models import Slot

WARN_DAYS = 60
MODELS = ("model", "fallback_model")


@dataclass(frozen=True, slots=True)
class Retiring:
    slot: Slot
    model: str  # its title
    retires_on: date
    days: int  # until then; none are left when it is 0 or less

    @property
    def is_retired(self) -> bool:
        return self.days <= 0


def retiring_slots(
    today: date | None = None, *, slots: Iterable[Slot] | None = None
) -> list[Retiring]:
    """Of the given slots, else of all that take photos: the most urgent first."""
    today = today or timezone.localdate()
    looked_at = Slot.objects.filter(is_active=True) if slots is None else slots
    found = [one for slot in looked_at for one in _of(slot, today)]
    return sorted(found, key=lambda one: (one.days, one.slot.pk))


def _of(slot: Slot, today: date) -> list[Retiring]:
    if not slot.settings:
        return []
    try:
        recipe = slot.recipe()
    except (KeyError, ValueError):  # no such provider any more, or not its settings: told elsewhere
        return []
    used = {getattr(recipe, name, None) for name in MODELS}
    return [
        Retiring(slot, model.title, model.retires_on, (model.retires_on - today).days)
        for model in slot.driver.models
        if model.id in used
        and model.retires_on is not None
        and model.retires_on <= today + timedelta(days=WARN_DAYS)
    ]
