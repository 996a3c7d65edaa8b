"""The pictures that show what presets do: kept of tests, until somebody takes them out."""

import uuid
from contextlib import suppress

import structlog
from django.db import transaction

from media.deletion import delete_file
from media.models import MediaObject
from media.uploads import read_upload, store_upload
from photochanger.db import clock
from photochanger.errors import StorageError
from slots.library.models import PresetSample

log = structlog.get_logger()

WEBP = "image/webp"


def keep_sample(key: str, body: bytes, *, by: str) -> None:
    """Keep a picture (WEBP) of the preset with this key in the place of the one before.

    Raises StorageError.
    """
    media = store_upload(
        MediaObject.Kind.SAMPLE, "", body, mime=WEBP, extension="webp", expires_at=None
    )
    with transaction.atomic():
        drop_sample(key, by=by)
        PresetSample.objects.create(key=key, media_object=media, made_at=clock.now())
    log.info("slots.sample.kept", preset=key, media=str(media.pk), by=by)


def drop_sample(key: str, *, by: str) -> bool:
    """Whether there was one. A file that cannot be deleted now is left to cleanup."""
    sample = PresetSample.objects.select_related("media_object").filter(key=key).first()
    if sample is None:
        return False
    media = sample.media_object
    sample.delete()
    MediaObject.objects.filter(pk=media.pk).update(expires_at=clock.now())
    transaction.on_commit(lambda: _delete_file(media), robust=True)
    log.info("slots.sample.dropped", preset=key, media=str(media.pk), by=by)
    return True


def _delete_file(media: MediaObject) -> None:
    with suppress(OSError, StorageError):  # its row is over: cleanup tries again
        delete_file(media)


def read_sample(media_id: uuid.UUID | str) -> bytes:
    """Raises MediaNotFound, StorageError."""
    _media, body = read_upload(MediaObject.Kind.SAMPLE, media_id)
    return body
