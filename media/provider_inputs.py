"""Pictures that a provider fetches from us: public for one job, behind a link nobody can guess."""

import asyncio
import uuid
from datetime import datetime
from typing import IO

import structlog
from django.db.models import F
from django.utils import timezone

from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.errors import ResultExpired, ResultNotFound

log = structlog.get_logger()

# The two that every service reads; the suffix is in the link too, as some fetchers look at it.
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}


async def publish_input(
    job_id: uuid.UUID, slot_id: str, body: bytes, mime: str, *, expires_at: datetime
) -> MediaObject:
    """Store a JPEG or PNG for the provider of this job. Raises StorageError.

    Let it run to its end once it has begun: cancelled in the middle, it would leave a file that
    no row knows of.
    """
    media_id = uuid.uuid4()  # 122 random bits: whoever knows it may see the guest
    path = f"provider-inputs/{media_id}.{EXTENSIONS[mime]}"
    await asyncio.to_thread(storage.write, path, body)
    try:
        return await in_db(
            MediaObject.objects.create,
            id=media_id,
            job_id=job_id,
            slot_id=slot_id,
            kind=MediaObject.Kind.PROVIDER_INPUT,
            path=path,
            mime=mime,
            size_bytes=len(body),
            expires_at=expires_at,
        )
    except BaseException:
        await asyncio.to_thread(storage.remove, path)
        raise


def remove_inputs(job_id: uuid.UUID) -> int:
    """Take back what was published for a job; returns how often it was fetched.

    The rows stay until cleanup, so that a late fetch is told 410.
    """
    inputs = MediaObject.objects.filter(job_id=job_id, kind=MediaObject.Kind.PROVIDER_INPUT)
    now = timezone.now()
    inputs.update(expires_at=now)  # first: from now on nobody gets it, whatever fails below
    found = list(inputs)
    gone = [media.pk for media in found if _delete(media)]
    inputs.filter(pk__in=gone).update(cleaned_at=now)
    return sum(media.fetches for media in found)


def _delete(media: MediaObject) -> bool:
    try:
        storage.remove(media.path)
    except OSError as exc:  # left to cleanup: its row is over, but not marked as clean
        log.error("media.provider_input.left", media=str(media.pk), detail=exc.strerror)
        return False
    return True


def open_input(name: str, *, is_fetch: bool) -> tuple[MediaObject, IO[bytes]]:
    """A published picture by the last part of its link, and its open file.

    ``is_fetch``: count it. Raises ResultNotFound, ResultExpired.
    """
    stem, dot, extension = name.partition(".")
    try:
        media_id = uuid.UUID(stem)
    except ValueError as exc:
        raise ResultNotFound("no id") from exc
    kind = MediaObject.Kind.PROVIDER_INPUT
    media = MediaObject.objects.filter(pk=media_id, kind=kind).first()
    if media is None or (dot and extension not in EXTENSIONS.values()):
        raise ResultNotFound(str(media_id))
    if media.cleaned_at or not media.expires_at or media.expires_at <= timezone.now():
        raise ResultExpired(str(media_id))
    try:
        file = storage.open_file(media.path)
    except FileNotFoundError as exc:
        raise ResultNotFound(f"{media.path} is not in storage") from exc
    if is_fetch:
        MediaObject.objects.filter(pk=media_id).update(fetches=F("fetches") + 1)
    log.info(
        "media.provider_input.fetched",
        media=str(media_id),
        job=str(media.job_id),
        is_fetch=is_fetch,
        size_bytes=media.size_bytes,
    )
    return media, file
