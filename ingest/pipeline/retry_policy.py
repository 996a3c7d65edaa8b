"""When a failed call of a provider is made again. One rule for all providers, no clock of its own.

A quick failure leaves most of the deadline: the commonest one of image models is an empty answer
after 1.2 s, with 46 s left. A slow one leaves nothing, and then the booth gets its answer at once.
"""

import random
from dataclasses import dataclass
from statistics import median

from ingest.models import Attempt, Job
from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderNetwork,
    ProviderQuota,
)
from providers.base import SECOND_MODEL_TURN

MAX_CALLS = 4
MAX_CALLS_AFTER: dict[type[ProviderError], int] = {
    # More of the same would not help.
    ProviderNetwork: 2,
    ContentBlocked: 2,
    # Shared capacity passes within seconds; the third call is the second model's.
    ProviderQuota: 3,
}
SOON_S = 0.1  # a hint shorter than that is none
FLOOR_S = 3.0  # no provider made a picture sooner; also what counts before a slot has a history
HISTORY = 20


@dataclass(frozen=True, slots=True)
class Retry:
    """The next call: when, and its number as the driver counts, which changes to a second model."""

    pause_s: float
    turn: int


def is_known_unpaid(error: ProviderError, *, is_accepted: bool) -> bool:
    """Has this failure surely cost nothing, so that another service may be asked freely?

    ``is_accepted``: the service has given the call a number of its own. What may be repeated was
    not paid for, by the drivers' contract.
    """
    is_refused = isinstance(error, ProviderAuth | ProviderConfig | ProviderQuota)
    return error.retryable or (is_refused and not is_accepted)


def choose_retry(
    error: ProviderError,
    *,
    turn: int,
    left_s: float,
    typical_s: float,
    has_second_model: bool,
    has_next_source: bool = False,
) -> Retry | None:
    """The next call, or None to give up. See ``pause_before_retry``.

    Where a reserve waits, only an empty answer is asked for once more: pauses are the guest's.
    A limit belongs to one model: where waiting for it would take too long, the second is asked.
    """
    pause_s = pause_before_retry(error, calls_made=turn, left_s=left_s, typical_s=typical_s)
    if has_next_source and not (turn == 1 and isinstance(error, BadResponse)):
        pause_s = None
    if pause_s is not None:
        return Retry(pause_s, turn + 1)
    is_first_model = turn < SECOND_MODEL_TURN and has_second_model
    if isinstance(error, ProviderQuota) and error.retryable and is_first_model:
        pause_s = 0.0 if left_s > max(typical_s, FLOOR_S) else None
    return None if pause_s is None else Retry(pause_s, SECOND_MODEL_TURN)


def pause_before_retry(
    error: ProviderError, *, calls_made: int, left_s: float, typical_s: float
) -> float | None:
    """Seconds to wait before the next call, or None to give up.

    ``left_s`` is what is left until the deadline, ``typical_s`` what a good call of this slot
    takes lately; a call that cannot end in time is not begun.
    """
    if not error.retryable or calls_made >= MAX_CALLS_AFTER.get(type(error), MAX_CALLS):
        return None
    pause = _pause(error, calls_made=calls_made)
    return pause if left_s - pause > max(typical_s, FLOOR_S) else None


def _pause(error: ProviderError, *, calls_made: int) -> float:
    if error.retry_after_s is not None and error.retry_after_s >= SOON_S:
        return error.retry_after_s  # the provider knows best
    if isinstance(error, ProviderQuota):
        return random.uniform(1.0, 2.0)  # noqa: S311  jitter, not a secret
    if isinstance(error, BadResponse):
        # The dice, not the load: at once, and only then with a breath in between.
        return 0.0 if calls_made == 1 else random.uniform(0.3, 0.7)  # noqa: S311  no secret
    # Others are overloaded by the same crowd: do not come back all at once.
    return random.uniform(0.5, 1.5) * calls_made  # noqa: S311  jitter, not a secret


def estimate_call_s(slot_id: str, provider: str) -> float:
    """The median of the slot's last good calls, in seconds; 0 without a history.

    Without those of the lab, which has other models to try.
    """
    good = Attempt.objects.filter(
        job__slot_id=slot_id, provider=provider, failure_reason=""
    ).exclude(job__source=Job.Source.LAB)
    good = good.order_by("-pk")
    durations = list(good.values_list("duration_ms", flat=True)[:HISTORY])
    return median(durations) / 1000 if durations else 0.0
