"""When a failed call of a provider is made again. One rule for all providers, no clock of its own.

A quick failure leaves most of the deadline: the commonest one of image models is an empty answer
after 1.2 s, with 46 s left. A slow one leaves nothing, and then the booth gets its answer at once.
"""

import random
from statistics import median

from ingest.models import Attempt
from photochanger.errors import BadResponse, ContentBlocked, ProviderError, ProviderNetwork

MAX_CALLS = 4
FLOOR_S = 3.0  # no provider made a picture sooner; also what counts before a slot has a history
ONCE = (ProviderNetwork, ContentBlocked)  # more of the same would not help
HISTORY = 20


def pause_before_retry(
    error: ProviderError, *, calls_made: int, left_s: float, typical_s: float
) -> float | None:
    """Seconds to wait before the next call, or None to give up.

    ``left_s`` is what is left until the deadline, ``typical_s`` what a good call of this slot
    takes lately; a call that cannot end in time is not begun.
    """
    if not error.retryable or calls_made >= MAX_CALLS:
        return None
    if isinstance(error, ONCE) and calls_made > 1:
        return None
    pause = _pause(error, calls_made=calls_made)
    return pause if left_s - pause > max(typical_s, FLOOR_S) else None


def _pause(error: ProviderError, *, calls_made: int) -> float:
    if error.retry_after_s is not None:
        return error.retry_after_s  # the provider knows best
    if isinstance(error, BadResponse):
        # The dice, not the load: at once, and only then with a breath in between.
        return 0.0 if calls_made == 1 else random.uniform(0.3, 0.7)  # noqa: S311  no secret
    # Others are overloaded by the same crowd: do not come back all at once.
    return random.uniform(0.5, 1.5) * calls_made  # noqa: S311  jitter, not a secret


def estimate_call_s(slot_id: str, provider: str) -> float:
    """The median of the slot's last good calls, in seconds; 0 without a history."""
    good = Attempt.objects.filter(
        job__slot_id=slot_id, provider=provider, failure_reason=""
    ).order_by("-pk")
    durations = list(good.values_list("duration_ms", flat=True)[:HISTORY])
    return median(durations) / 1000 if durations else 0.0
