"""At most what one call, or one photo, may cost: before anything is known of it."""

from collections.abc import Sequence
from datetime import date

from pydantic import ValidationError

from ingest.costs.price_table import PriceTable
from ingest.costs.pricing import compute_cost
from providers.base import DriverSettings
from providers.tokens import TokenCounts
from slots.models import Slot
from slots.prints.frames import FRAME
from slots.prints.recipe import build_largest_recipe


def estimate_call(
    slot: Slot, prices: PriceTable, day: date, *, kinds: Sequence[str], is_strict: bool = False
) -> int | None:
    """Micro-dollars of one call of the slot's own service, by the dearest model of its recipe.

    ``kinds``: of its template pictures. None: the recipe is not whole, or no price is known; or,
    where ``is_strict``, one of several is not.
    """
    if (recipe := _build_recipe(slot, kinds)) is None:
        return None
    costs = []
    for model in recipe.models_used() or ("",):
        price = prices.find_on(slot.provider, model, day)
        tokens = slot.driver.estimate_tokens(recipe, model, count_pictures(kinds))
        costs.append(compute_cost(price, tokens, pictures=1) if price else None)
    known = [cost for cost in costs if cost is not None]
    return None if is_strict and len(known) < len(costs) else max(known, default=None)


def estimate_tokens(slot: Slot, model: str, *, kinds: Sequence[str]) -> TokenCounts | None:
    """Of one call of a model; None: the recipe is not whole."""
    if (recipe := _build_recipe(slot, kinds)) is None:
        return None
    return slot.driver.estimate_tokens(recipe, model, count_pictures(kinds))


def count_pictures(kinds: Sequence[str]) -> int:
    """That are sent: the guest's photo, and the template pictures but for a frame."""
    return 1 + sum(kind != FRAME for kind in kinds)


def _build_recipe(slot: Slot, kinds: Sequence[str]) -> DriverSettings | None:
    try:
        return build_largest_recipe(slot, has_frame=FRAME in kinds)
    except (ValidationError, KeyError):
        return None
