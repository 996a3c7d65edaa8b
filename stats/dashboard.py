"""What the console's first page says of each slot."""

from dataclasses import dataclass
from datetime import datetime

from slots.models import Slot
from stats.recent import Lately
from stats.slot_state import State, has_fresh_error, medians, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCard:
    slot: Slot
    state: State
    in_flight: int
    last_photo_at: datetime | None
    # Of the last hour, and only while no later photo has succeeded.
    last_error_reason: str | None
    last_error_at: datetime | None


def cards(events: list[Lately], now: datetime, platform_wait_seconds: int) -> list[SlotCard]:
    """One query: how long the pictures of the last hour took."""
    took = medians(now)
    return [_card(event, took.get(event.slot.pk), now, platform_wait_seconds) for event in events]


def _card(event: Lately, median_ms: float | None, now: datetime, wait_seconds: int) -> SlotCard:
    has_error = has_fresh_error(event, now)
    return SlotCard(
        slot=event.slot,
        state=state_of(
            event,
            median_ms=median_ms,
            now=now,
            platform_wait_seconds=wait_seconds,
        ),
        in_flight=event.in_flight,
        last_photo_at=event.last_photo_at,
        last_error_reason=event.last_failure_reason if has_error else None,
        last_error_at=event.last_failure_at if has_error else None,
    )
