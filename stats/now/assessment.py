"""How every slot is now: its state, its last photos, what is wrong; one answer for every page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ingest.refusals.queries import RefusalGroup, load_recent_refusals
from slots.models import Slot
from stats.now.last_photos import LastPhotos, load_last_photos
from stats.now.problems import Problem, describe_refusal, find_problems
from stats.slot_state import State, determine_state


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotNow:
    state: State
    photos: LastPhotos
    problems: list[Problem]

    @property
    def is_red(self) -> bool:
        return any(problem.is_grave for problem in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    by_slot: dict[str, SlotNow]
    strays: list[Problem]  # refused at links that no slot has


def assess(slots: Iterable[Slot], now: datetime, *, platform_wait_s: int) -> Assessment:
    """Two queries; ``slots`` come with their template pictures."""
    photos = load_last_photos(now)
    refusals = load_recent_refusals(now)
    of_slot: dict[str, list[RefusalGroup]] = {}
    for group in refusals:
        if group.is_of_slot:
            of_slot.setdefault(group.slot_asked, []).append(group)

    def assess_slot(slot: Slot) -> SlotNow:
        wait_s = slot.wait_s(platform_wait_s)
        problems = find_problems(slot, photos[slot.pk], of_slot.get(slot.pk, []), wait_s=wait_s)
        state = determine_state(slot, photos[slot.pk], problems, wait_s=wait_s)
        return SlotNow(state=state, photos=photos[slot.pk], problems=problems)

    strays = [group for group in refusals if not group.is_of_slot and not group.is_over]
    return Assessment(
        by_slot={slot.pk: assess_slot(slot) for slot in slots},
        strays=[describe_refusal(group, wait_s=platform_wait_s) for group in strays],
    )
