"""Results on disk and their rows: file first, row second, so that a row never lies."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from media.deletion import delete_result, expire_result
from media.erasure.tombstones import is_deleted
from media.guests.refusals import ViewOnly
from media.models import MediaObject
from media.view_ids import list_possible_jobs
from photochanger.db import clock
from photochanger.errors import ResultExpired, ResultNotFound

Kind = MediaObject.Kind
Review = MediaObject.Review


def build_result_path(slot_id: str, job_id: uuid.UUID, extension: str) -> str:
    return f"results/{slot_id}/{job_id}/payload.{extension}"


def make_result(
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
    event_id: int | None = None,
) -> MediaObject:
    """The row of a stored file, to be written in the transaction that closes the job.

    ``is_listed``: public lists may show it; a test run's result is only for who has its link.
    """
    return MediaObject(
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
        event_id=event_id,
    )


def select_live_results() -> QuerySet[MediaObject]:
    """Results that whoever has the link may see now: the only definition, for every reader."""
    is_live = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return MediaObject.objects.filter(is_live, kind=Kind.RESULT, cleaned_at__isnull=True)


def select_listed_results(slot_id: str | None = None) -> QuerySet[MediaObject]:
    """What public lists may show of a slot, or of all: newest first, no test runs."""
    results = select_live_results().filter(is_listed=True).order_by("-created_at")
    return results if slot_id is None else results.filter(slot_id=slot_id)


def select_published_results(slot_id: str, reviews: Collection[str]) -> QuerySet[MediaObject]:
    """What galleries and slide shows may show of a slot, where pictures so reviewed are shown."""
    return select_listed_results(slot_id).filter(job_id__isnull=False, review__in=reviews)


def let_on_show(job_id: uuid.UUID) -> bool:
    """Its result looks safe. What somebody has decided on it meanwhile holds: then False."""
    results = MediaObject.objects.filter(job_id=job_id, kind=Kind.RESULT, review=Review.NEW)
    return bool(results.update(review=Review.SAFE))


def find_result(job_id: uuid.UUID) -> MediaObject:
    """The result of a job. Raises ResultNotFound, ResultExpired.

    An expired result that is still stored is deleted at once, its preview too.
    """
    media = MediaObject.objects.filter(job_id=job_id, kind=Kind.RESULT).first()
    if media is None:
        raise ResultNotFound(str(job_id))
    return _check_result(media)


def _check_result(media: MediaObject) -> MediaObject:
    if media.is_over() or (media.job_id and is_deleted(media.job_id)):
        if media.cleaned_at is None and media.job_id is not None:
            expire_result(media.job_id)
        raise ResultExpired(str(media.job_id))
    return media


@dataclass(frozen=True, slots=True)
class LinkedResult:
    """A result as one of its two links leads to it."""

    media: MediaObject
    link_id: uuid.UUID

    @property
    def is_owner(self) -> bool:
        """Whether the link is the booth's own, which may also delete."""
        return self.link_id == self.media.job_id


def find_linked_result(link_id: uuid.UUID) -> LinkedResult:
    """By the job's id, or by the view id that is published. Raises as ``find_result``."""
    jobs = [link_id, *list_possible_jobs(link_id)]
    found = MediaObject.objects.filter(job_id__in=jobs, kind=Kind.RESULT).first()
    if found is None or found.job_id is None:
        raise ResultNotFound("no such result")
    return LinkedResult(_check_result(found), link_id)


def delete_by_link(link_id: uuid.UUID) -> None:
    """A guest's deletion. Raises as ``find_result``, and ViewOnly for a published link."""
    if not find_linked_result(link_id).is_owner:
        raise ViewOnly("a view id cannot delete")
    delete_result(link_id, by="guest", can_be_undone=True)


@transaction.atomic
def set_results_ttl(hours: int) -> int:
    """Give existing results the time to live, from their creation on; returns how many changed.

    An expired result stays expired: its guest has been told so. Idempotent; the preview of each
    result gets the same time.
    """
    until = F("created_at") + timedelta(hours=hours)
    results = select_live_results().exclude(expires_at__isnull=True).exclude(expires_at=until)
    moved = results.update(expires_at=until)
    of_same_job = MediaObject.objects.filter(job_id=OuterRef("job_id"), kind=Kind.RESULT)
    previews = MediaObject.objects.filter(kind=Kind.PREVIEW, cleaned_at__isnull=True)
    previews.annotate(until=Subquery(of_same_job.values("expires_at")[:1])).filter(
        until__isnull=False
    ).exclude(expires_at=F("until")).update(expires_at=F("until"))
    return moved
