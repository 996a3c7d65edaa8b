"""The state of a slot: active, delayed, errors, off or not configured."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import ValidationError as RecipeError

from ingest.models import Job
from providers.registry import DRIVERS
from slots.models import Slot
from stats.outcomes import BOOTH, DONE
from stats.percentiles import Percentile
from stats.recent import RecentEvents

FRESH = timedelta(hours=1)  # an older failure says nothing about now
LATE_SHARE = 0.75  # of the waiting time: a little slower, and photos will time out


class State(StrEnum):
    ACTIVE = "active"
    DELAYED = "delayed"  # half of its pictures take most of the waiting time
    ERRORS = "errors"  # it failed within the hour, and no photo has succeeded since
    OFF = "off"
    NOT_CONFIGURED = "not_configured"  # photos cannot work: no recipe, or a broken one


def load_medians(now: datetime) -> dict[str, float]:
    """How long the last hour's pictures of each slot took, in milliseconds. One query."""
    done = Job.objects.filter(BOOTH, DONE, started_at__gte=now - FRESH).order_by()
    rows = done.values("slot_id").annotate(median=Percentile("duration_ms", 0.5))
    return dict(rows.values_list("slot_id", "median"))


def determine_state(
    event: RecentEvents, *, median_ms: float | None, now: datetime, platform_wait_seconds: int
) -> State:
    if not is_configured(event.slot):
        return State.NOT_CONFIGURED
    if not event.slot.is_active:
        return State.OFF
    if has_fresh_error(event, now):
        return State.ERRORS
    wait_ms = 1000 * (event.slot.sync_response_seconds or platform_wait_seconds)
    if median_ms is not None and median_ms >= LATE_SHARE * wait_ms:
        return State.DELAYED
    return State.ACTIVE


def has_fresh_error(event: RecentEvents, now: datetime) -> bool:
    at = event.last_failure_at
    return at is not None and not event.has_recovered and now - at <= FRESH


def is_configured(slot: Slot) -> bool:
    if not slot.settings or slot.provider not in DRIVERS:
        return False
    try:
        slot.recipe()
    except RecipeError:
        return False
    return True
