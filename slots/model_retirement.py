"""Models whose end their provider has announced, and the slots that use them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from django.utils import timezone

from providers.base import Model
from slots.checked_keys.listed_models import ListedModels, load_listed_models
from slots.models import Slot
from slots.reserve.in_use import UsedRecipe, list_used_recipes

WARN_DAYS = 60
LoadList = Callable[[str], ListedModels | None]


class End(StrEnum):
    """What is known of a model's end."""

    NONE = "none"
    ANNOUNCED = "announced"  # for a day to come
    DUE = "due"  # the day has come, and nobody has asked the service since
    OUTLIVED = "outlived"  # the day has come, and the key's list has the model all the same
    GONE = "gone"  # the day has come, and the key's list has it no more


def find_end(model: Model, listed: ListedModels | None, today: date) -> End:
    """The key's own list wins over the day that was announced."""
    day = model.retires_on
    if day is None:
        return End.NONE
    if day > today:
        return End.ANNOUNCED
    if listed and listed.is_alive_after(model.id, day):
        return End.OUTLIVED
    return End.GONE if listed and listed.is_gone_after(model.id, day) else End.DUE


@dataclass(frozen=True, slots=True)
class Retiring:
    slot: Slot
    model_id: str
    model: str  # its title
    retires_on: date
    days: int  # until then; none are left when it is 0 or less
    end: End
    reserve: int = 0  # 0: the slot's own recipe uses it; else the position of the reserve

    @property
    def is_retired(self) -> bool:
        return self.end in (End.DUE, End.GONE)

    @property
    def is_outlived(self) -> bool:
        return self.end == End.OUTLIVED

    @property
    def is_gone(self) -> bool:
        return self.end == End.GONE


def find_retiring_slots(
    today: date | None = None,
    *,
    slots: Iterable[Slot] | None = None,
    within_days: int | None = WARN_DAYS,
) -> list[Retiring]:
    """Of the given slots, else of all that take photos, with their reserves: most urgent first.

    ``within_days`` leaves out what ends later than that; None tells of every known end.
    """
    today = today or timezone.localdate()
    until = date.max if within_days is None else today + timedelta(days=within_days)
    load_list = cache(load_listed_models)  # one query for each provider, if any
    looked_at = Slot.objects.filter(is_active=True) if slots is None else slots
    found: dict[tuple[str, str], Retiring] = {}  # a model once for each slot, the own recipe first
    for used in list_used_recipes(looked_at):
        for one in _find_retiring_models(used, today, load_list):
            if one.retires_on <= until:
                found.setdefault((one.slot.pk, one.model_id), one)
    return sorted(found.values(), key=lambda one: (one.days, one.slot.pk))


def _find_retiring_models(
    used_recipe: UsedRecipe, today: date, load_list: LoadList
) -> list[Retiring]:
    slot, position = used_recipe.slot, used_recipe.position
    if used_recipe.has_own_access:
        load_list = _load_nothing  # the list is of another key, or another service
    try:
        recipe = slot.recipe()
    except (KeyError, ValueError):  # no such provider any more, or not its settings: told elsewhere
        return []
    used = recipe.models_used()
    found = []
    for model in slot.driver.models:
        if model.id in used and (day := model.retires_on) is not None:
            end = find_end(model, load_list(slot.provider) if day <= today else None, today)
            days = (day - today).days
            found.append(Retiring(slot, model.id, model.title, day, days, end, position))
    return found


def _load_nothing(_provider: str) -> None:
    return None
