"""Results on disk and their rows: file first, row second, so that a row never lies."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from media.deletion import clear_away
from media.models import MediaObject
from photochanger.errors import ResultExpired, ResultNotFound

Kind = MediaObject.Kind


def result_path(slot_id: str, job_id: uuid.UUID, extension: str) -> str:
    return f"results/{slot_id}/{job_id}/payload.{extension}"


def record_result(
    slot_id: str,
    job_id: uuid.UUID,
    path: str,
    *,
    mime: str,
    size_bytes: int,
    sha256: str,
    created_at: datetime,
    expires_at: datetime,
    is_listed: bool = True,
) -> None:
    """The row of a file that is there; call it in the transaction that closes the job.

    ``is_listed``: public lists may show it; a test run's result is for who has its link.
    """
    MediaObject.objects.create(
        slot_id=slot_id,
        job_id=job_id,
        kind=Kind.RESULT,
        path=path,
        mime=mime,
        size_bytes=size_bytes,
        sha256=sha256,
        created_at=created_at,
        expires_at=expires_at,
        is_listed=is_listed,
    )


def kept_results() -> QuerySet[MediaObject]:
    """Results that whoever has the link may see now: the one truth, for every reader."""
    is_kept = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return MediaObject.objects.filter(is_kept, kind=Kind.RESULT, cleaned_at__isnull=True)


def visible_results(slot_id: str | None = None) -> QuerySet[MediaObject]:
    """What public lists may show of a slot, or of all: newest first, no test runs."""
    results = kept_results().filter(is_listed=True).order_by("-created_at")
    return results if slot_id is None else results.filter(slot_id=slot_id)


def find_result(job_id: uuid.UUID) -> MediaObject:
    """The result of a job. Raises ResultNotFound, ResultExpired.

    What is found expired is deleted on the spot, its preview too.
    """
    media = MediaObject.objects.filter(job_id=job_id, kind=Kind.RESULT).first()
    if media is None:
        raise ResultNotFound(str(job_id))
    if media.is_over():
        if media.cleaned_at is None:
            clear_away(job_id)
        raise ResultExpired(str(job_id))
    return media


def result_in_link(text: str) -> uuid.UUID:
    """The job's id from the text of a link. Raises ResultNotFound when it cannot be one."""
    try:
        return uuid.UUID(text)
    except ValueError as exc:
        raise ResultNotFound("no id") from exc


@transaction.atomic
def keep_results_for(hours: int) -> int:
    """Count the time of existing results from their birth anew; returns how many have moved.

    What is over already stays over: its guest has been told so. May be run again and again; the
    preview of each result goes along.
    """
    until = F("created_at") + timedelta(hours=hours)
    results = kept_results().exclude(expires_at__isnull=True).exclude(expires_at=until)
    moved = results.update(expires_at=until)
    of_same_job = MediaObject.objects.filter(job_id=OuterRef("job_id"), kind=Kind.RESULT)
    previews = MediaObject.objects.filter(kind=Kind.PREVIEW, cleaned_at__isnull=True)
    previews.annotate(until=Subquery(of_same_job.values("expires_at")[:1])).filter(
        until__isnull=False
    ).exclude(expires_at=F("until")).update(expires_at=F("until"))
    return moved
