"""What an event will cost, from guests and shots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from ingest.costs.estimate import estimate_call
from ingest.costs.price_table import PriceTable
from ingest.costs.spending import Amounts
from slots.models import Slot

HISTORY = timedelta(days=30)
ENOUGH_PHOTOS = 5  # fewer say little of a slot's recipe


@dataclass(frozen=True, slots=True)
class Forecast:
    """Micro-dollars; None: not known. ``is_measured``: from what the slot's last photos cost."""

    photos: int
    of_photo: int | None
    is_measured: bool

    @property
    def total(self) -> int | None:
        return None if self.of_photo is None else self.of_photo * self.photos


def forecast_cost(
    slot: Slot, photos: int, *, spent: Amounts, prices: PriceTable, kinds: Sequence[str]
) -> Forecast:
    """``spent``: by the slot within ``HISTORY``; without enough of it the dearest call counts.

    ``kinds``: of its template pictures.
    """
    runs = spent.photos + spent.tests
    if runs >= ENOUGH_PHOTOS and not spent.unpriced_calls:
        micros = -(-(spent.known_micros + spent.probable_micros) // runs)
        return Forecast(photos, micros, is_measured=True)
    today = timezone.localdate()
    call = estimate_call(slot, prices, today, kinds=kinds, is_strict=True)
    return Forecast(photos, call, is_measured=False)
