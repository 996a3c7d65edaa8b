"""Delete stored files: first expire the row, then delete the file, then mark the row cleaned."""

import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from django.db import transaction
from django.db.models import QuerySet

from media import storage
from media.download_memory import forget_downloads
from media.erasure.held import find_held, hold, remove_held
from media.erasure.tombstones import (
    EVERY_SLOT,
    hash_job,
    list_deletions,
    name_event,
    record_deletion,
    record_purge,
    withdraw_deletion,
)
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import ResultExpired, ResultNotFound, StorageError

log = structlog.get_logger()

Kind = MediaObject.Kind
PURGED = (Kind.RESULT, Kind.PREVIEW, Kind.TEST_PHOTO)  # template pictures belong to the recipe
BATCH = 200


@dataclass(slots=True, kw_only=True)
class PurgeReport:
    """What a purge did. Guests get ``failed`` files no more; cleanup tries them again."""

    files: int = 0
    bytes: int = 0
    failed: int = 0


def delete_file(media: MediaObject) -> int:
    """Delete the file and mark its row cleaned; returns the freed bytes. A missing file is fine.

    Raises OSError or StorageError when the file could not be deleted; its row stays as it was.
    """
    storage.remove(media.path)
    MediaObject.objects.filter(pk=media.pk, cleaned_at__isnull=True).update(cleaned_at=clock.now())
    return media.size_bytes


def drop_file(media: MediaObject) -> None:
    """End its row now, and delete its file after the transaction: cleanup does what that cannot."""
    MediaObject.objects.filter(pk=media.pk).update(expires_at=clock.now())
    transaction.on_commit(partial(_try_to_delete, media), robust=True)


def _try_to_delete(media: MediaObject) -> None:
    with suppress(OSError, StorageError):
        delete_file(media)


def delete_result(job_id: uuid.UUID, *, by: str, can_be_undone: bool = False) -> None:
    """Delete a result and its preview, for ever. Raises ResultNotFound, ResultExpired.

    ``can_be_undone``: an operator may bring it back within an hour. The link is dead when this
    returns. A file that a faulty disk refuses to delete is logged, and removed by cleanup.
    """
    files = MediaObject.objects.filter(job_id=job_id, kind__in=(Kind.RESULT, Kind.PREVIEW))
    result = next((media for media in files if media.kind == Kind.RESULT), None)
    if result is None:
        raise ResultNotFound(str(job_id))
    if result.is_over():
        raise ResultExpired(str(job_id))
    record_deletion(job_id)  # first: whatever fails below, no restored row brings it back
    if can_be_undone:
        hold(result)
    expire_result(job_id)
    log.info("media.result.deleted", job=str(job_id), slot=result.slot_id, by=by)


def undo_deletion(job_id: uuid.UUID, *, by: str) -> None:
    """Bring back what a guest deleted less than an hour ago. Raises ResultNotFound, ResultExpired.

    File first, row second, as when it was stored; the preview is made when somebody asks for it.
    """
    result = MediaObject.objects.filter(job_id=job_id, kind=Kind.RESULT).first()
    if result is None:
        raise ResultNotFound(str(job_id))
    held = find_held(result)
    is_late = held is None or (held.expires_at and held.expires_at <= clock.now())
    if held is None or is_late or not result.is_over():
        raise ResultExpired(str(job_id))
    with storage.write_or_undo(result.path, storage.read(held.path)):
        withdraw_deletion(job_id)
        MediaObject.objects.filter(pk=result.pk).update(expires_at=held.expires_at, cleaned_at=None)
    storage.remove(held.path)
    log.info("media.result.restored", job=str(job_id), slot=result.slot_id, by=by)


def forget_deleted() -> int:
    """Expire what was deleted once and is back, out of an older database; returns how many.

    At each start and each cleanup. Raises StorageError.
    """
    jobs, purges = list_deletions()
    if not jobs and not purges:
        return 0
    live = MediaObject.objects.filter(kind=Kind.RESULT, cleaned_at__isnull=True)
    rows = live.values_list("job_id", "slot_id", "event_id", "created_at")
    back = [
        job_id
        for job_id, slot_id, event_id, created_at in rows.iterator()
        if job_id is not None
        and (
            hash_job(job_id) in jobs
            or any(
                at >= created_at and whose in (slot_id, name_event(event_id), EVERY_SLOT)
                for whose, at in purges
            )
        )
    ]
    for job_id in back:
        expire_result(job_id)
    if back:
        log.warning("media.deleted.forgotten_again", count=len(back))
    return len(back)


def expire_result(job_id: uuid.UUID) -> None:
    """Expire the result and preview of a job, and delete their files if that works."""
    files = MediaObject.objects.filter(
        job_id=job_id, kind__in=(Kind.RESULT, Kind.PREVIEW), cleaned_at__isnull=True
    )
    # Before the files are listed: a preview being made at this moment delays this until its row
    # exists, or finds its result expired.
    expire_rows(files.filter(kind=Kind.RESULT))
    _remove_batch(list(files))


def purge(slot_id: str | None, *, by: str) -> PurgeReport:
    """Delete all results, previews and test photos of a slot, or of all; never template pictures.

    In batches; a file that cannot be removed does not stop the rest.
    """
    record_purge(slot_id)
    remove_held(slot_id, is_purge=True)
    files = MediaObject.objects.filter(kind__in=PURGED, cleaned_at__isnull=True)
    if slot_id is not None:
        files = files.filter(slot_id=slot_id)
    removed, last = PurgeReport(), uuid.UUID(int=0)
    while batch := list(files.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        gone = _remove_batch(batch)
        removed.files += len(gone)
        removed.bytes += sum(media.size_bytes for media in gone)
        removed.failed += len(batch) - len(gone)
    log.info(
        "media.purged",
        slot=slot_id or "all",
        by=by,
        files=removed.files,
        freed_bytes=removed.bytes,
        failed=removed.failed,
    )
    return removed


def expire_uploads(ids: Collection[uuid.UUID]) -> None:
    """Delete photos that administrators uploaded for tests, their files too if that works."""
    photos = MediaObject.objects.filter(kind=Kind.TEST_PHOTO, cleaned_at__isnull=True)
    _remove_batch(list(photos.filter(pk__in=ids)))


def _remove_batch(batch: list[MediaObject]) -> list[MediaObject]:
    """Returns those whose files are gone."""
    rows = MediaObject.objects.filter(cleaned_at__isnull=True)
    now = clock.now()
    expire_rows(rows.filter(pk__in=[media.pk for media in batch]))
    gone = [media for media in batch if try_remove_file(media)]
    rows.filter(pk__in=[media.pk for media in gone]).update(cleaned_at=now)
    return gone


def expire_rows(rows: QuerySet[MediaObject]) -> None:
    """Done first: from now on nobody gets the files, whatever fails later."""
    now = clock.now()
    rows.exclude(expires_at__lte=now).update(expires_at=now)
    forget_downloads()


def try_remove_file(media: MediaObject) -> bool:
    """Whether the file is gone. A failure is logged and left to cleanup: the row is expired, but
    not marked as cleaned."""
    try:
        storage.remove(media.path)
    except (OSError, StorageError) as exc:  # one bad file must not save the others
        log.error("media.file.delete_failed", media=str(media.pk), kind=media.kind, detail=str(exc))
        return False
    return True
