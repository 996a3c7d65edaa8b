"""The recipes by which slots may be asked for pictures: their own, and those of their reserves."""

from collections.abc import Iterable
from dataclasses import dataclass

from slots.models import ReserveSource, Slot
from slots.reserve.recipes import apply_reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRecipe:
    """``slot`` is as it is with this recipe; ``has_own_access``: with a key or at an address of its
    own, of which the settings' key tells nothing."""

    slot: Slot
    position: int  # 0: the slot's own; else that of the reserve
    has_own_access: bool = False


def list_used_recipes(slots: Iterable[Slot]) -> list[UsedRecipe]:
    """In the order in which they are asked. One query for all reserves that are switched on."""
    listed = list(slots)
    rows: dict[str, list[ReserveSource]] = {slot.pk: [] for slot in listed}
    for row in ReserveSource.objects.filter(slot__in=rows, is_enabled=True).order_by("position"):
        rows[row.slot_id].append(row)
    return [recipe for slot in listed for recipe in _list_of_slot(slot, rows[slot.pk])]


def _list_of_slot(slot: Slot, rows: list[ReserveSource]) -> Iterable[UsedRecipe]:
    yield UsedRecipe(slot=slot, position=0)
    for row in rows:
        yield UsedRecipe(
            slot=apply_reserve(slot, row),
            position=row.position,
            has_own_access=bool(row.api_key or row.base_url),
        )


def list_providers_by_key(slots: Iterable[Slot]) -> set[str]:
    """Those that photos may be sent to with the key of the settings."""
    return {one.slot.provider for one in list_used_recipes(slots) if not one.has_own_access}
