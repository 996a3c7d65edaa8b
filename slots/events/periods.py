"""When each slot worked for an event: what came in that time is the event's."""

from dataclasses import dataclass
from datetime import datetime

from photochanger.db import clock
from slots.events.models import Event


@dataclass(frozen=True, slots=True)
class Period:
    slot_id: str
    begun_at: datetime
    ended_at: datetime

    def touches(self, begun_at: datetime, ended_at: datetime) -> bool:
        return begun_at <= self.ended_at and ended_at >= self.begun_at


def list_periods(event: Event) -> list[Period]:
    """None of an event that never started; a slot that left and came back has two. One query."""
    if event.started_at is None:
        return []
    closed_at = event.closed_at or clock.now()
    return [
        Period(link.slot_id, link.taken_at or event.started_at, link.removed_at or closed_at)
        for link in event.event_slots.all()
    ]
