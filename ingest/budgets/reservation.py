"""How much of the budgets a photo may take, decided in the transaction that lets it in."""

from collections.abc import Sequence
from datetime import date

from ingest.budgets.limits import Use
from ingest.budgets.models import Budget
from ingest.costs.estimate import estimate_call
from ingest.costs.price_table import PriceTable
from ingest.pipeline.order import Order
from ingest.pipeline.retry_policy import MAX_CALLS
from ingest.refusals.errors import BudgetSpent
from slots.models import Slot

CALLS_BEFORE_RESERVE = 2  # where a reserve waits, only an empty answer is asked for once more


def estimate_photo(
    sources: Sequence[Slot], prices: PriceTable, day: date, *, kinds: Sequence[str]
) -> int | None:
    """Micro-dollars that a photo can cost at most: every call that may be made, at the dearest.

    Guaranteed is that no photo costs more, as long as prices are right and no call uses more
    tokens than ``ProviderDriver.estimate_tokens`` allows: above all thoughts have no documented
    limit. A model or a source without a known price counts nothing, and None is a photo of such
    only: money cannot limit what nobody knows, pictures can. ``kinds``: of the template pictures.
    """
    total: int | None = None
    for number, slot in enumerate(sources, start=1):
        call = estimate_call(slot, prices, day, kinds=kinds)
        if call is None:
            continue
        calls = MAX_CALLS if number == len(sources) else CALLS_BEFORE_RESERVE
        calls += slot.faces == Slot.Faces.RETRY  # asked for once more where people were not kept
        total = (total or 0) + call * calls
    return total


def check_budgets(order: Order, uses: Sequence[Use], micros: int | None) -> None:
    """Whether all budgets of a photo that may cost so much have room; the strictest come first.

    They are read while ``row_locks.lock_rows`` lets in one photo at a time under any budget: so
    that no limit is crossed by all processes together. Raises BudgetSpent.
    """
    guests = int(not order.is_trial)
    for use in uses:
        if not use.has_room(micros=micros or 0, pictures=guests):
            is_its_own = use.limit.at_limit == Budget.AtLimit.ORIGINAL
            raise BudgetSpent(
                f"budget {use.limit.budget_id} has no room for {micros or 0} micro-dollars",
                prints_original=is_its_own and not order.is_trial,
            )
