"""Calculate the cost of calls again, when a price was entered for days that are over."""

from collections.abc import Iterable
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from pydantic import ValidationError

from ingest.costs.models import Payment
from ingest.costs.payment import compute_attempt_cost, sum_costs
from ingest.costs.price_table import PriceTable, load_price_table
from ingest.costs.spending import Amounts, add_spendings
from ingest.models import Attempt, Job
from providers.registry import DRIVERS
from providers.tokens import TokenCounts
from slots.models import Slot
from slots.platform_settings import load_platform_settings

BATCH = 500


def recount_costs(since: date) -> int:
    """By the prices of now, of photos from a day on; returns how many have another cost.

    Blocking, about a second for a thousand photos. May be stopped at any point and run again.
    """
    prices = load_price_table(load_platform_settings().prices_version)
    begins_at = timezone.make_aware(datetime.combine(since, time.min))
    place: tuple[datetime, UUID] | None = None
    changed = 0
    while rows := _load_batch(begins_at, place):
        changed += _recount_batch([pk for _at, pk in rows], prices)
        place = rows[-1]
    return changed


def _load_batch(
    begins_at: datetime, place: tuple[datetime, UUID] | None
) -> list[tuple[datetime, UUID]]:
    jobs = Job.objects.filter(started_at__gte=begins_at, cost_micros__isnull=False)
    if place:
        jobs = jobs.filter(started_at__gte=place[0]).exclude(started_at=place[0], pk__lte=place[1])
    return list(jobs.order_by("started_at", "pk").values_list("started_at", "pk")[:BATCH])


@transaction.atomic
def _recount_batch(job_ids: Iterable[UUID], prices: PriceTable) -> int:
    rows = Job.objects.filter(pk__in=job_ids).select_for_update(no_key=True, of=("self",))
    changes = []
    for job in rows.select_related("slot").prefetch_related("attempts").order_by("pk"):
        before = Amounts.of_job(job)
        attempts = list(job.attempts.all())
        for attempt in attempts:
            _recount_attempt(attempt, job.slot, prices)
        for name, value in sum_costs(attempts).items():
            setattr(job, name, value)
        if (delta := Amounts.of_job(job) - before) != Amounts():
            Attempt.objects.bulk_update(attempts, ["cost_micros"])
            job.save(update_fields=["cost_micros", "probable_micros", "unpriced_calls"])
            changes.append((job, delta))
    add_spendings(changes)
    return len(changes)


def _recount_attempt(attempt: Attempt, slot: Slot, prices: PriceTable) -> None:
    """Of a call that nobody counted the tokens of, by the recipe that its slot has now."""
    driver = DRIVERS.get(attempt.provider)
    if driver is None or attempt.payment not in (Payment.PAID, Payment.PROBABLE):
        return
    tokens = driver.count_tokens(attempt.usage) or _estimate(attempt, slot)
    attempt.cost_micros = compute_attempt_cost(attempt, tokens, prices)


def _estimate(attempt: Attempt, slot: Slot) -> TokenCounts | None:
    try:
        recipe = slot.recipe() if slot.provider == attempt.provider else None
    except (ValidationError, KeyError):
        return None
    return slot.driver.estimate_tokens(recipe, attempt.model, pictures=1) if recipe else None
