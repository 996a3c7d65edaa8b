"""Our prices beside those of LiteLLM's price map, which follows the services' own pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ingest.costs.price_table import PriceTable
from ingest.costs.pricing import MICROS, TOKEN_KINDS, PriceEntry

# Their key for each of our kinds; the first that they have counts.
THEIR_KEYS = {
    "text_in": ("input_cost_per_token",),
    "picture_in": ("input_cost_per_image_token", "input_cost_per_token"),
    "text_out": ("output_cost_per_token",),
    "picture_out": ("output_cost_per_image_token",),
    "thoughts": ("output_cost_per_reasoning_token", "output_cost_per_token"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Dollars for a million tokens; None: one side does not say."""

    model: str
    kind: str
    ours: Decimal | None
    theirs: Decimal | None


def compare_prices(
    prices: PriceTable, price_map: dict[str, Any], day: date
) -> tuple[list[str], list[Difference]]:
    """The models that both know, and where they differ. Raises ValueError for no such map."""
    if not isinstance(price_map, dict) or not price_map:
        raise ValueError("a price map is a JSON object with a line for each model")
    common: list[str] = []
    found: list[Difference] = []
    for entry in prices.list_current(day):
        line = price_map.get(f"{entry.provider}/{entry.model}")
        if isinstance(line, dict):
            common.append(entry.model)
            found += _compare_model(entry, line)
    return common, found


def _compare_model(entry: PriceEntry, line: dict[str, Any]) -> Iterator[Difference]:
    for kind in TOKEN_KINDS:
        micros = getattr(entry, kind)
        ours = None if micros is None else Decimal(micros) / MICROS
        given = next((line[key] for key in THEIR_KEYS[kind] if line.get(key) is not None), None)
        theirs = None if given is None else Decimal(str(given)) * MICROS
        if ours != theirs:
            yield Difference(entry.model, kind, ours, theirs)
