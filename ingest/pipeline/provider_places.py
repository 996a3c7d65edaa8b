"""Move a job's place in the limit per service to the service that is called now."""

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction

from ingest.models import Job
from ingest.pipeline.in_flight import FULL_RETRY_AFTER_S, count_in_flight
from ingest.pipeline.outcome import JobRun
from ingest.refusals.errors import ProviderFull
from photochanger import metrics
from photochanger.db import in_db
from slots.models import Setting
from slots.provider_keys import make_provider_row, provider_row_key

log = structlog.get_logger()


async def move_to_provider(run: JobRun, provider: str) -> None:
    """From now on the job takes its place at this service, and none at the one before.

    Raises ProviderFull. A database that fails must not cost the picture: then nothing is counted.
    """
    if run.place_at == provider:
        return
    limit = run.order.platform.max_jobs_per_provider
    try:
        is_free = await in_db(_move_in_turn, run.job, provider, limit)
    except AnyDatabaseError:
        log.exception("provider.place.not_counted", job=str(run.job.pk))
        return
    if not is_free:
        metrics.count_queue_full(slot=run.job.slot_id, limit="provider")
        raise ProviderFull(f"{provider} is full", retry_after_s=FULL_RETRY_AFTER_S)
    run.place_at = provider


@transaction.atomic
def _move_in_turn(job: Job, provider: str, limit: int) -> bool:
    """Under the lock that admission takes for the service; no other one is held meanwhile."""
    make_provider_row(provider)
    rows = Setting.objects.select_for_update(no_key=True).filter(key=provider_row_key(provider))
    rows.values_list("pk", flat=True).get()
    found = count_in_flight(job.slot_id, provider, besides=job.pk).in_flight
    if found.in_provider >= limit:
        return False
    Job.objects.filter(pk=job.pk, status=Job.Status.PROCESSING).update(provider=provider)
    return True
