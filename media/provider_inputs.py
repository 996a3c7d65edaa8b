"""Pictures that a provider fetches from us: public for one job, behind a link nobody can guess."""

import uuid
from datetime import datetime
from typing import IO

import structlog
from django.db.models import F

from media import storage
from media.deletion import try_remove_file
from media.models import MediaObject
from photochanger.db import clock, in_db
from photochanger.errors import ResultExpired, ResultNotFound
from photochanger.parsing import parse_id

log = structlog.get_logger()

# Of the two formats that every service reads. Some fetchers require a suffix in the link.
LINK_SUFFIXES = ("jpg", "png")


async def publish_input(
    job_id: uuid.UUID,
    slot_id: str,
    body: bytes,
    *,
    mime: str,
    extension: str,
    expires_at: datetime,
) -> MediaObject:
    """Store a JPEG or PNG for the provider of this job. Raises StorageError.

    Let it run to completion once it has begun: cancelled in the middle, it would leave a file
    without a row.
    """
    media_id = uuid.uuid4()  # 122 random bits: whoever knows it may see the guest
    path = f"provider-inputs/{media_id}.{extension}"
    async with storage.write_or_undo_async(path, body):
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


def remove_inputs(job_id: uuid.UUID) -> int:
    """Delete what was published for a job; returns how often it was fetched.

    The rows stay until cleanup, so that a late fetch gets 410.
    """
    inputs = MediaObject.objects.filter(job_id=job_id, kind=MediaObject.Kind.PROVIDER_INPUT)
    now = clock.now()
    inputs.update(expires_at=now)  # first: from now on nobody gets it, whatever fails below
    rows = list(inputs)
    gone = [media.pk for media in rows if try_remove_file(media)]
    inputs.filter(pk__in=gone).update(cleaned_at=now)
    return sum(media.fetches for media in rows)


def open_input(name: str, *, is_fetch: bool) -> tuple[MediaObject, IO[bytes]]:
    """A published picture by the last part of its link, and its open file.

    ``is_fetch``: count it. Raises ResultNotFound, ResultExpired.
    """
    stem, dot, extension = name.partition(".")
    media_id = parse_id(stem, ResultNotFound)
    kind = MediaObject.Kind.PROVIDER_INPUT
    media = MediaObject.objects.filter(pk=media_id, kind=kind).first()
    if media is None or (dot and extension not in LINK_SUFFIXES):
        raise ResultNotFound(str(media_id))
    if media.cleaned_at or not media.expires_at or media.expires_at <= clock.now():
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
