"""How much of the budgets a photo may take, decided in the transaction that lets it in."""

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from ingest.budgets.models import Budget
from ingest.budgets.queries import load_states_of_photo
from ingest.costs.estimate import estimate_call
from ingest.costs.price_table import PriceTable
from ingest.pipeline.order import Order
from ingest.pipeline.retry_policy import MAX_CALLS
from ingest.refusals.errors import BudgetSpent
from photochanger.db import clock
from slots.models import Slot

CALLS_BEFORE_RESERVE = 2  # where a reserve waits, only an empty answer is asked for once more


def estimate_photo(
    sources: Sequence[Slot], prices: PriceTable, day: date, *, pictures: int
) -> int | None:
    """Micro-dollars that a photo can cost at most: every call that may be made, at the dearest.

    Guaranteed is that no photo costs more, as long as prices are right and no call uses more
    tokens than ``ProviderDriver.estimate_tokens`` allows: above all thoughts have no documented
    limit. A source without a known price counts nothing, and None is a photo of such only: money
    cannot limit what nobody knows, pictures can.
    """
    total: int | None = None
    for number, slot in enumerate(sources, start=1):
        call = estimate_call(slot, prices, day, pictures=pictures)
        if call is None:
            continue
        calls = MAX_CALLS if number == len(sources) else CALLS_BEFORE_RESERVE
        calls += slot.faces == Slot.Faces.RETRY  # asked for once more where people were not kept
        total = (total or 0) + call * calls
    return total


def reserve_photo(
    order: Order, sources: Sequence[Slot], prices: PriceTable, *, pictures: int
) -> int | None:
    """What the photo's row is to reserve, where all its budgets have room. One query.

    Called under the lock of ``row_locks.lock_rows``, which lets in one photo at a time under any
    budget: so that no limit is crossed by all processes together. Raises BudgetSpent.
    """
    day = timezone.localtime(order.deadline.started_at).date()
    micros = estimate_photo(sources, prices, day, pictures=pictures)
    guests = int(not order.is_trial)
    slot = order.slot
    for state in load_states_of_photo(slot.pk, slot.event_id, day=day, now=clock.now()):
        if not state.has_room(micros=micros or 0, pictures=guests):
            raise BudgetSpent(
                f"budget {state.budget_id} has no room for {micros or 0} micro-dollars",
                prints_original=state.at_limit == Budget.AtLimit.ORIGINAL and not order.is_trial,
            )
    return micros
