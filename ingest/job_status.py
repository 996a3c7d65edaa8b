"""The public status of one job."""

import uuid
from collections.abc import Callable
from datetime import timedelta

from ingest.models import Job
from ingest.schemas import JobOut
from media.models import MediaObject
from media.services import find_result
from photochanger.db import clock
from photochanger.errors import JobNotFound, ResultExpired, ResultNotFound
from slots.platform_settings import load_platform_settings


def get_job_status(job_id: uuid.UUID, *, link: Callable[[Job], str]) -> JobOut:
    """Raises JobNotFound, also when the job's time is over."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise JobNotFound(str(job_id))
    result = _find_result(job)
    status, reason = job.outcome
    return JobOut(
        job_id=job.pk,
        slot_id=job.slot_id,
        status=status,
        source=Job.Source(job.source),
        provider=job.provider,
        reserve=job.reserve,
        started_at=job.started_at,
        deadline=job.deadline,
        finished_at=job.finished_at,
        duration_ms=job.duration_ms,
        provider_ms=job.provider_ms,
        failure_reason=reason or None,
        result_url=link(job) if result else None,
        result_mime=result.mime if result else None,
        result_bytes=result.size_bytes if result else None,
        result_expires_at=result.expires_at if result else None,
    )


def _find_result(job: Job) -> MediaObject | None:
    """The job's result if it has one. Raises JobNotFound when the job's time is over."""
    if job.status == Job.Status.DONE:
        try:
            return find_result(job.pk)
        except (ResultNotFound, ResultExpired) as exc:
            raise JobNotFound(str(job.pk)) from exc
    ttl = timedelta(hours=load_platform_settings().result_ttl_hours)
    if clock.now() > job.started_at + ttl:
        raise JobNotFound(str(job.pk))
    return None
