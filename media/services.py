"""Results on disk and their rows: file first, row second, so that a row never lies."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core.files.storage import default_storage
from django.utils import timezone

from media import storage
from media.models import MediaObject
from photochanger.errors import ResultExpired, ResultNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """A finished picture with its preview, ready to be stored; ``body`` is never changed again."""

    body: bytes
    mime: str
    extension: str
    width: int
    height: int
    sha256: str
    preview: bytes  # WEBP

    def payload_path(self, slot_id: str, job_id: uuid.UUID) -> str:
        return f"results/{slot_id}/{job_id}/payload.{self.extension}"


def preview_path(slot_id: str, job_id: uuid.UUID) -> str:
    return f"results/{slot_id}/{job_id}/preview.webp"


def write_result(slot_id: str, job_id: uuid.UUID, result: ResultFiles) -> None:
    """Put both files in place, or none. Blocking. Raises StorageError."""
    payload = result.payload_path(slot_id, job_id)
    storage.write(payload, result.body)
    try:
        storage.write(preview_path(slot_id, job_id), result.preview)
    except BaseException:
        storage.remove(payload)
        raise


def discard_result(slot_id: str, job_id: uuid.UUID, result: ResultFiles) -> None:
    """Take back what ``write_result`` wrote, when no row came to point at it. Blocking."""
    storage.remove(preview_path(slot_id, job_id))
    storage.remove(result.payload_path(slot_id, job_id))


def record_result(
    slot_id: str, job_id: uuid.UUID, result: ResultFiles, *, expires_at: datetime
) -> None:
    """The rows of files that are already there; call it in the transaction that closes the job."""
    shared = {"slot_id": slot_id, "job_id": job_id, "expires_at": expires_at}
    MediaObject.objects.bulk_create(
        [
            MediaObject(
                **shared,
                kind=MediaObject.Kind.RESULT,
                path=result.payload_path(slot_id, job_id),
                mime=result.mime,
                size_bytes=len(result.body),
                sha256=result.sha256,
            ),
            MediaObject(
                **shared,
                kind=MediaObject.Kind.PREVIEW,
                path=preview_path(slot_id, job_id),
                mime="image/webp",
                size_bytes=len(result.preview),
            ),
        ]
    )


def find_result(job_id: uuid.UUID) -> MediaObject:
    """The stored result of a job. Raises ResultNotFound, ResultExpired."""
    media = MediaObject.objects.filter(job_id=job_id, kind=MediaObject.Kind.RESULT).first()
    if media is None:
        raise ResultNotFound(str(job_id))
    is_over = media.expires_at is not None and media.expires_at <= timezone.now()
    if is_over or media.cleaned_at is not None:
        raise ResultExpired(str(job_id))
    if not default_storage.exists(media.path):
        raise ResultNotFound(f"{media.path} is not on disk")
    return media
