"""Calculate the cost of calls again, when a price was entered for days that are over."""

from collections.abc import Iterable
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ingest.costs.estimate import estimate_tokens
from ingest.costs.models import Payment
from ingest.costs.payment import compute_attempt_cost, sum_costs
from ingest.costs.price_table import PriceTable, load_price_table
from ingest.costs.spending import Amounts, add_spendings
from ingest.models import Attempt, Job
from photochanger.errors import Interrupted
from providers.registry import DRIVERS
from providers.tokens import TokenCounts
from slots.platform_settings import load_platform_settings

BATCH = 500
RELATED = ("attempts", "slot__template_media")


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
    # Of a server that died no call is known: what cleanup has booked stays.
    jobs = jobs.exclude(failure_reason=Interrupted.reason)
    if place:
        jobs = jobs.filter(started_at__gte=place[0]).exclude(started_at=place[0], pk__lte=place[1])
    return list(jobs.order_by("started_at", "pk").values_list("started_at", "pk")[:BATCH])


@transaction.atomic
def _recount_batch(job_ids: Iterable[UUID], prices: PriceTable) -> int:
    rows = Job.objects.filter(pk__in=job_ids).select_for_update(no_key=True, of=("self",))
    changes = []
    for job in rows.select_related("slot").prefetch_related(*RELATED).order_by("pk"):
        before = Amounts.of_job(job)
        attempts = list(job.attempts.all())
        for attempt in attempts:
            _recount_attempt(attempt, job, prices)
        for name, value in sum_costs(attempts).items():
            setattr(job, name, value)
        if (delta := Amounts.of_job(job) - before) != Amounts():
            Attempt.objects.bulk_update(attempts, ["cost_micros"])
            job.save(update_fields=["cost_micros", "probable_micros", "unpriced_calls"])
            changes.append((job, delta))
    add_spendings(changes)
    return len(changes)


def _recount_attempt(attempt: Attempt, job: Job, prices: PriceTable) -> None:
    """What nobody counted the tokens of, and nobody can estimate any more, keeps its cost."""
    driver = DRIVERS.get(attempt.provider)
    if driver is None or attempt.payment not in (Payment.PAID, Payment.PROBABLE):
        return
    tokens = driver.count_tokens(attempt.usage) or _estimate(attempt, job)
    if tokens is None and attempt.cost_micros is not None:
        return
    attempt.cost_micros = compute_attempt_cost(attempt, tokens, prices)


def _estimate(attempt: Attempt, job: Job) -> TokenCounts | None:
    """By the recipe that its slot has now, as long as that is the one the call was made with."""
    slot = job.slot
    if attempt.reserve or attempt.provider != slot.provider or job.source != Job.Source.INGEST:
        return None
    if attempt.cost_micros is not None and job.slot_version != slot.version:
        return None
    kinds = [one.media_kind for one in slot.template_media.all()]
    return estimate_tokens(slot, attempt.model, kinds=kinds)
