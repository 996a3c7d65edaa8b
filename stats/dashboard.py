"""One card for each slot on the console's first page."""

from dataclasses import dataclass
from datetime import datetime

from slots.models import Slot
from stats.recent import RecentEvents
from stats.slot_state import State, determine_state, has_fresh_error, load_medians


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCard:
    slot: Slot
    state: State
    in_flight: int
    last_photo_at: datetime | None
    # Of the last hour, and only while no later photo has succeeded.
    last_error_reason: str | None
    last_error_at: datetime | None


def make_cards(
    events: list[RecentEvents], now: datetime, platform_wait_seconds: int
) -> list[SlotCard]:
    """One query, for the median durations of the last hour."""
    median_by_slot = load_medians(now)
    return [
        _make_card(event, median_by_slot.get(event.slot.pk), now, platform_wait_seconds)
        for event in events
    ]


def _make_card(
    event: RecentEvents, median_ms: float | None, now: datetime, wait_seconds: int
) -> SlotCard:
    has_error = has_fresh_error(event, now)
    return SlotCard(
        slot=event.slot,
        state=determine_state(
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
