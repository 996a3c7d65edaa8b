"""The pictures that show what presets do: kept of tests, until somebody takes them out."""

import uuid
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction

from media.deletion import drop_file
from media.models import MediaObject
from media.uploads import read_upload, store_upload
from photochanger.db import clock
from slots.library.models import Preset, PresetSample
from slots.library.presets import find_own_id

log = structlog.get_logger()

WEBP = "image/webp"
# A server that is killed before the picture is a preset's leaves nobody's face behind.
KEPT_WITHOUT_PRESET = timedelta(hours=1)


def keep_sample(key: str, body: bytes, *, by: str) -> None:
    """Keep a picture (WEBP) of the preset with this key in the place of the one before.

    Of two at once one is kept; of a preset that was deleted meanwhile none is. Raises StorageError.
    """
    until = clock.now() + KEPT_WITHOUT_PRESET
    media = store_upload(
        MediaObject.Kind.SAMPLE, "", body, mime=WEBP, extension="webp", expires_at=until
    )
    try:
        with transaction.atomic():
            is_kept = _put_in_place(key, media, by=by)
    except IntegrityError:  # somebody else's is in its place by now
        is_kept = False
    if is_kept:
        log.info("slots.sample.kept", preset=key, media=str(media.pk), by=by)
    else:
        drop_file(media)


def _put_in_place(key: str, media: MediaObject, *, by: str) -> bool:
    """Whether there is a place: one's own preset may have been deleted."""
    own_id = find_own_id(key)
    if own_id is not None:
        row = Preset.objects.select_for_update().filter(pk=own_id).first()
        if row is None:
            return False
    drop_sample(key, by=by)
    PresetSample.objects.create(key=key, media_object=media, made_at=clock.now())
    MediaObject.objects.filter(pk=media.pk).update(expires_at=None)
    return True


def drop_sample(key: str, *, by: str) -> bool:
    """Whether there was one. A file that cannot be deleted now is left to cleanup."""
    sample = PresetSample.objects.select_related("media_object").filter(key=key).first()
    if sample is None:
        return False
    media = sample.media_object
    sample.delete()
    drop_file(media)
    log.info("slots.sample.dropped", preset=key, media=str(media.pk), by=by)
    return True


def read_sample(media_id: uuid.UUID | str) -> bytes:
    """Raises MediaNotFound, StorageError."""
    _media, body = read_upload(MediaObject.Kind.SAMPLE, media_id)
    return body
