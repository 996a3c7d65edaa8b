"""Who makes the pictures of a slot with reserves now, and why it is not the slot's own service."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from providers.registry import DRIVERS
from slots.models import Slot, SourceCircuit
from slots.reserve.wording import name_reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNow:
    """``since``: when the slot's own service was left; None while it works."""

    main: str
    reserve: str  # the first one that works
    since: datetime | None = None
    is_by_hand: bool = False
    failures: int = 0
    reason: str = ""  # what the service failed with last

    @property
    def is_main(self) -> bool:
        return self.since is None


def describe_source(slot: Slot) -> SourceNow | None:
    """None for a slot without reserves. No query: whoever loaded the slot has asked for them."""
    if getattr(slot, "has_reserves", True) is False:
        return None
    reserves = [row for row in slot.reserves.all() if row.is_enabled]
    if not reserves:
        return None
    driver = DRIVERS.get(slot.provider)
    opened = find_open(slot.circuits.all())
    working = next((row for row in reserves if row.position not in opened), reserves[0])
    away = opened.get(0)
    return SourceNow(
        main=str(driver.title) if driver else slot.provider,
        reserve=name_reserve(working),
        since=slot.on_reserve_since or (away.opened_at if away else None),
        is_by_hand=slot.on_reserve,
        failures=away.failures if away else 0,
        reason=away.reason if away else "",
    )


def find_open(circuits: Iterable[SourceCircuit]) -> dict[int, SourceCircuit]:
    """Those of sources that photos are not sent to, by position."""
    return {one.position: one for one in circuits if one.opened_at is not None}
