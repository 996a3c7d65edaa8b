"""Whether a call has been paid for, as far as anybody can know, and what it cost."""

from collections.abc import Iterable
from typing import Any

import structlog

from ingest.costs.models import Payment
from ingest.costs.price_table import PriceTable
from ingest.costs.pricing import compute_cost
from ingest.costs.spending import choose_day
from ingest.models import Attempt
from photochanger.errors import (
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderQuota,
    ProviderRejected,
)
from providers.base import ProviderDriver, ProviderRequest
from providers.registry import DRIVERS
from providers.tokens import TokenCounts

log = structlog.get_logger()

# The service said no before it did anything.
REFUSED = {
    ProviderAuth.reason,
    ProviderConfig.reason,
    ProviderQuota.reason,
    ProviderRejected.reason,
}


def judge_payment(
    attempt: Attempt, driver: ProviderDriver[Any], *, has_tokens: bool, is_unsent: bool
) -> Payment:
    """Paid is what the service has counted or made, an empty answer too; probably paid, what was
    cut after sending, or came without a word on its cost; free, what was refused or never sent."""
    if has_tokens:
        return Payment.PAID
    if not attempt.failure_reason:  # a picture, whose tokens nobody told
        return Payment.PAID if driver.charges_orders else Payment.PROBABLE
    if driver.charges_orders and attempt.provider_request_id:
        return Payment.PROBABLE
    if attempt.failure_reason in REFUSED or is_unsent:
        return Payment.FREE
    is_answered = attempt.http_status is not None
    if driver.charges_orders:  # without a number of its own
        is_refused = is_answered and attempt.failure_reason == ContentBlocked.reason
    else:
        is_refused = is_answered and not 200 <= (attempt.http_status or 0) < 300
    return Payment.FREE if is_refused else Payment.PROBABLE


def price_attempt(
    attempt: Attempt, request: ProviderRequest[Any], prices: PriceTable, *, is_unsent: bool
) -> None:
    """Note what the call cost, by the price of its day; null where that is not known.

    Never raises: what a bug keeps from being judged is of unknown price. ``is_unsent``: no
    connection was made.
    """
    try:
        driver = DRIVERS[attempt.provider]
        tokens = driver.count_tokens(attempt.usage)
        has_tokens = tokens is not None
        attempt.payment = judge_payment(attempt, driver, has_tokens=has_tokens, is_unsent=is_unsent)
        if attempt.payment == Payment.FREE:
            attempt.cost_micros = 0
            return
        if tokens is None:  # the most that it can have been
            pictures = 1 + len(request.references)
            tokens = driver.estimate_tokens(request.settings, attempt.model, pictures)
        attempt.cost_micros = compute_attempt_cost(attempt, tokens, prices)
    except Exception as exc:  # a bug in here must not cost the picture that is paid for
        attempt.payment, attempt.cost_micros = Payment.PROBABLE, None  # counts as of unknown price
        log.exception("ingest.cost.failed", job=str(attempt.job_id), detail=type(exc).__name__)


def compute_attempt_cost(
    attempt: Attempt, tokens: TokenCounts | None, prices: PriceTable
) -> int | None:
    """By the price of its day; null where that is not known."""
    price = prices.find_on(attempt.provider, attempt.model, choose_day(attempt.started_at))
    is_made = not attempt.failure_reason or attempt.payment == Payment.PROBABLE
    return compute_cost(price, tokens, pictures=int(is_made)) if price else None


def sum_costs(attempts: Iterable[Attempt]) -> dict[str, int]:
    """A job's columns."""
    sums = {"cost_micros": 0, "probable_micros": 0, "unpriced_calls": 0}
    for attempt in attempts:
        if attempt.cost_micros is None:
            sums["unpriced_calls"] += bool(attempt.payment)
        elif attempt.payment == Payment.PROBABLE:
            sums["probable_micros"] += attempt.cost_micros
        else:
            sums["cost_micros"] += attempt.cost_micros
    return sums
