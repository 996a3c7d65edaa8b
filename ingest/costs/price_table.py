"""The prices of the AI services by their day: those that came with the release, then operators'."""

import json
import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from ingest.costs.models import Price
from ingest.costs.money import to_micros
from ingest.costs.pricing import MICROS, TOKEN_KINDS, PriceEntry
from photochanger.db import clock
from slots.history.records import write_settings
from slots.setting_rows import store_row

SHIPPED = Path(__file__).parent / "prices.json"
VERSION_KEY = "prices_version"  # of the settings, which every photo reads
AMOUNTS = (*TOKEN_KINDS, "per_picture")


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices there have been. ``entries``: of two for one model and day the last one counts."""

    entries: tuple[PriceEntry, ...] = ()

    def find_on(self, provider: str, model: str, day: date) -> PriceEntry | None:
        """The price of a day; None: there is not even a line."""
        named = model.removeprefix("models/")
        for wanted in (named, ""):
            fits = [
                one
                for one in self.entries
                if (one.provider, one.model) == (provider, wanted) and one.valid_from <= day
            ]
            if fits:  # sorted() keeps the order of those of one day: the last one counts
                return sorted(fits, key=lambda one: one.valid_from)[-1]
        return None

    def list_current(self, day: date) -> list[PriceEntry]:
        """One line for each model that has any, in the order in which they came."""
        names = dict.fromkeys((one.provider, one.model) for one in self.entries)
        found = (self._find_exactly(*name, day) for name in names)
        return [entry for entry in found if entry is not None]

    def _find_exactly(self, provider: str, model: str, day: date) -> PriceEntry | None:
        found = self.find_on(provider, model, day)
        return found if found and found.model == model else None


NO_PRICES = PriceTable()


@cache
def load_shipped() -> tuple[PriceEntry, ...]:
    return tuple(map(_read_shipped, json.loads(SHIPPED.read_text())))


def _read_shipped(found: dict[str, Any]) -> PriceEntry:
    return PriceEntry(
        provider=found["provider"],
        model=found["model"],
        valid_from=date.fromisoformat(found["valid_from"]),
        source=f"{found['source']} ({found['read_on']})",
        **{name: to_micros(found[name]) for name in AMOUNTS if name in found},
    )


_newest: tuple[int, PriceTable] | None = None


def load_price_table(version: int) -> PriceTable:
    """As of a version of the settings or later. One query when there is a new one, none for 0."""
    global _newest
    if _newest is None or _newest[0] != version:
        rows = Price.objects.all() if version else ()
        _newest = version, PriceTable((*load_shipped(), *map(read_row, rows)))
    return _newest[1]


def read_row(row: Price) -> PriceEntry:
    return PriceEntry(
        provider=row.provider,
        model=row.model,
        valid_from=row.valid_from,
        source=row.source,
        **{name: getattr(row, name) for name in AMOUNTS},
    )


@transaction.atomic
def add_price(entry: PriceEntry, *, by: str) -> Price:
    """For all processes from their next photo on; in the history of the settings too."""
    row = Price.objects.create(
        provider=entry.provider,
        model=entry.model.removeprefix("models/"),
        valid_from=entry.valid_from,
        source=entry.source,
        entered_at=clock.now(),
        entered_by=by,
        **{name: getattr(entry, name) for name in AMOUNTS},
    )
    # Random: a database that was put back to yesterday must not come to the same one again.
    store_row(VERSION_KEY, 1 + secrets.randbits(48), by=by)
    write_settings({"price": None}, {"price": describe_price(row)}, by=by)
    return row


def describe_price(row: Price) -> str:
    """For the history: one line, in dollars."""
    amounts = ((name, getattr(row, name)) for name in AMOUNTS)
    parts = [f"{name} {Decimal(value) / MICROS:f}" for name, value in amounts if value is not None]
    return f"{row}: {', '.join(parts) or '—'} $"
