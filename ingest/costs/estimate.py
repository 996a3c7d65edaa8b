"""At most what one call, or one photo, may cost: before anything is known of it."""

from datetime import date

from pydantic import ValidationError

from ingest.costs.price_table import PriceTable
from ingest.costs.pricing import compute_cost
from slots.models import Slot


def estimate_call(slot: Slot, prices: PriceTable, day: date, *, pictures: int = 1) -> int | None:
    """Micro-dollars of one call of the slot's own service, by the dearest model of its recipe.

    ``pictures``: that are sent, the guest's photo and the template pictures. None: the recipe is
    not whole, or a price is not known.
    """
    try:
        recipe = slot.recipe()
    except (ValidationError, KeyError):
        return None
    costs = []
    for model in recipe.models_used() or ("",):
        price = prices.find_on(slot.provider, model, day)
        tokens = slot.driver.estimate_tokens(recipe, model, pictures)
        costs.append(compute_cost(price, tokens, pictures=1) if price else None)
    known = [cost for cost in costs if cost is not None]
    return max(known) if len(known) == len(costs) else None
