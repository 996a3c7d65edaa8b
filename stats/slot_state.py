"""The state of a slot: active, delayed, unsteady, errors, off or not configured."""

from enum import StrEnum

from slots.models import Slot
from slots.services import is_complete
from stats.now.last_photos import LastPhotos
from stats.now.problems import ON_RESERVE, Problem

LATE_SHARE = 0.75  # of the waiting time: a little slower, and photos will time out


class State(StrEnum):
    ACTIVE = "active"
    DELAYED = "delayed"  # half of its pictures take most of the waiting time
    RESERVE = "reserve"  # all is well, but its reserve makes the pictures
    UNSTEADY = "unsteady"  # some of its last photos were lost, or there is something to know
    ERRORS = "errors"  # many of its last photos were lost, or its booth's requests are refused
    OFF = "off"
    NOT_CONFIGURED = "not_configured"  # off, and photos could not work


def determine_state(
    slot: Slot, photos: LastPhotos, problems: list[Problem], *, wait_s: int
) -> State:
    """Of a slot that is switched on: what its last photos and refusals say."""
    if not slot.is_active:
        return State.OFF if is_complete(slot) else State.NOT_CONFIGURED
    if any(problem.is_grave for problem in problems):
        return State.ERRORS
    is_on_reserve = slot.on_reserve or any(one.word == ON_RESERVE for one in problems)
    if photos.is_poor or any(one.word != ON_RESERVE for one in problems):
        return State.UNSTEADY
    if is_on_reserve:
        return State.RESERVE
    if photos.median_ms is not None and photos.median_ms >= LATE_SHARE * 1000 * wait_s:
        return State.DELAYED
    return State.ACTIVE
