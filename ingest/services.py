"""Reading jobs: what the booth's operator may ask about a photo."""

import uuid
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from ingest.models import Job
from ingest.schemas import JobOut
from photochanger.errors import JobNotFound
from slots.services import platform_settings


def job_status(job_id: uuid.UUID, *, link: Callable[[Job], str]) -> JobOut:
    """Raises JobNotFound, also when the job's time is over."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or _time_is_over(job):
        raise JobNotFound(str(job_id))
    status, reason = job.outcome
    is_kept = job.result_is_kept()
    return JobOut(
        job_id=job.pk,
        slot_id=job.slot_id,
        status=status,
        source=Job.Source(job.source),
        provider=job.provider,
        started_at=job.started_at,
        deadline=job.deadline,
        finished_at=job.finished_at,
        duration_ms=job.duration_ms,
        provider_ms=job.provider_ms,
        failure_reason=reason or None,
        result_url=link(job) if is_kept else None,
        result_mime=job.result_mime if is_kept else None,
        result_bytes=job.result_bytes if is_kept else None,
        result_expires_at=job.result_expires_at,
    )


def _time_is_over(job: Job) -> bool:
    if job.status == Job.Status.DONE:
        return not job.result_is_kept()
    ttl = timedelta(hours=platform_settings().result_ttl_hours)
    return timezone.now() > job.started_at + ttl
