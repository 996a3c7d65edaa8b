"""One card for each slot on the console's first page."""

from dataclasses import dataclass
from datetime import datetime

from slots.models import Slot
from stats.now.assessment import SlotNow
from stats.now.last_photos import LastPhotos
from stats.now.problems import Problem
from stats.now.sources import SourceNow, describe_source
from stats.recent import RecentEvents
from stats.slot_state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCard:
    slot: Slot
    state: State
    photos: LastPhotos
    problems: list[Problem]
    source: SourceNow | None  # of a slot with reserves: who makes its pictures
    in_flight: int
    last_photo_at: datetime | None

    @property
    def is_red(self) -> bool:
        return any(problem.is_grave for problem in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The cards in the slots' order, and what is wrong at links that no slot has."""

    cards: list[SlotCard]
    strays: list[Problem]

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong now, the grave first."""
        found = [*self.strays, *(problem for card in self.cards for problem in card.problems)]
        return sorted(found, key=lambda problem: not problem.is_grave)


def make_card(event: RecentEvents, now: SlotNow) -> SlotCard:
    return SlotCard(
        slot=event.slot,
        state=now.state,
        photos=now.photos,
        problems=now.problems,
        source=describe_source(event.slot),
        in_flight=event.in_flight,
        last_photo_at=event.last_photo_at,
    )
